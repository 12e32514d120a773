"""The report as PDF: the same content, set on A4 pages."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import matplotlib as mpl
from fpdf import FPDF
from fpdf.fonts import FontFace

from containers.explain.report.blocks import Block, Chart, Document, Table
from watchkeeper.charts.style import EDGE, INK, MUTED

_FONT = "DejaVu Sans"
"""matplotlib brings it; a PDF's own fonts lack most of the world's letters."""
_MARGIN, _LINE, _SPACE, _HEADING, _BULLET = 20.0, 5.2, 3.0, 14.0, 4.5
"""In millimetres."""
_FIRST_ROWS = 25.0
"""Of a table, that stay together, in millimetres."""
_NO_DATE = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""Of writing: the same content gives the same bytes."""


def write_pdf(document: Document, path: Path) -> None:
    """Write the report."""
    pages = _Pages(document.title)
    pages.paragraph(document.title, size=20, style="B", line=9.0)
    pages.paragraph(document.subtitle, color=MUTED)
    for section in document.sections:
        pages.turn_unless_fits(section.blocks, above=_HEADING)
        pages.ln(2 * _SPACE)
        pages.start_section(section.title)
        pages.paragraph(section.title, size=13.5, style="B", line=7.0)
        for index, block in enumerate(section.blocks):
            pages.turn_unless_fits(section.blocks[index:])
            pages.block(block)
    pages.output(str(path))


class _Pages(FPDF):
    """Blocks below each other on numbered pages."""

    def __init__(self, title: str) -> None:
        super().__init__(format="A4")
        self.set_title(title)
        self.set_lang("en")
        self.set_creation_date(_NO_DATE)
        for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            self.add_font(_FONT, style, Path(mpl.get_data_path(), "fonts", "ttf", file))
        self.set_margin(_MARGIN)
        self.set_auto_page_break(True, margin=_MARGIN)
        self.set_draw_color(EDGE)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-12)
        self.paragraph(str(self.page_no()), size=8, color=MUTED, align="C")

    def paragraph(
        self,
        text: str,
        *,
        size: float = 9.5,
        style: str = "",
        color: str = INK,
        line: float = _LINE,
        align: str = "L",
        bullet: str = "",
    ) -> None:
        self.set_font(_FONT, style, size)
        self.set_text_color(color)
        if bullet:
            self.cell(_BULLET, line, bullet)
        self.multi_cell(0, line, text, align=align, new_x="LMARGIN", new_y="NEXT")

    def block(self, block: Block) -> None:
        if isinstance(block, Chart):
            self.image(io.BytesIO(block.png), w=self.epw, alt_text=block.alternative)
        elif isinstance(block, Table):
            self._rows(block)
        elif isinstance(block, list):
            for point in block:
                self.paragraph(point, bullet="•")
        else:
            self.paragraph(block)
        self.ln(_SPACE)

    def turn_unless_fits(self, blocks: Sequence[Block], *, above: float = 0.0) -> None:
        """Begin a page where the blocks to the next chart or table do not fit on this one."""
        needed = above
        for block in blocks:
            needed += self._least_height(block) + _SPACE
            if isinstance(block, Chart | Table):
                break
        if self.y > self.t_margin and self.will_page_break(min(needed, self.eph)):
            self.add_page()

    def _least_height(self, block: Block) -> float:
        if isinstance(block, Chart):
            width, height = block.figure.get_size_inches()
            return float(self.epw * height / width)
        if isinstance(block, Table):
            return _FIRST_ROWS
        self.set_font(_FONT, "", 9.5)
        lines = block if isinstance(block, list) else [block]
        heights = (
            self.multi_cell(self.epw - _BULLET, _LINE, line, dry_run=True, output="HEIGHT") for line in lines
        )
        return sum(heights)  # type: ignore[arg-type]  # numbers, with that output

    def _rows(self, table: Table) -> None:
        self.set_font(_FONT, "B", 8.5)
        columns = list(zip(table.header, *table.rows, strict=True))
        natural = [max(map(self.get_string_width, column)) + 4.0 for column in columns]
        numbers = sum(width for index, width in enumerate(natural) if index in table.numeric)
        words = sum(natural) - numbers
        scale = (self.epw - numbers) / words  # numbers are never wrapped
        widths = [width if index in table.numeric else width * scale for index, width in enumerate(natural)]
        aligned = ["RIGHT" if index in table.numeric else "LEFT" for index in range(len(widths))]
        self.set_font(_FONT, "", 8.5)
        self.set_text_color(INK)
        with self.table(
            borders_layout="HORIZONTAL_LINES",
            col_widths=widths,
            text_align=aligned,
            headings_style=FontFace(emphasis="BOLD", color=MUTED),
            line_height=4.6,
            padding=(1.0, 1.5),
            v_align="TOP",
        ) as rows:
            rows.row(table.header)
            for first, *others in table.rows:
                row = rows.row()
                row.cell(first, style=FontFace(emphasis="BOLD"))
                for text in others:
                    row.cell(text)
