"""The report as PDF: the same content, set on A4 pages by matplotlib, which the job has anyway."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from containers.explain.report.blocks import Block, Chart, Document, Table

_PAGE_INCHES = (8.27, 11.69)
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.75, 0.75, 0.8, 0.8
"""Margins, in inches."""
_LINE = 0.205
"""Height of a line of text, in inches."""
_CHARACTERS = 96
"""Of a line of text that fits between the margins."""
_HEADING = 0.55
"""Height of a heading with the space around it, in inches."""
_FULL_PAGE = _PAGE_INCHES[1] - _TOP - _BOTTOM
_INK, _SOFT, _RULE = "#22303c", "#5d6b78", "#dfe4e8"


def write_pdf(document: Document, path: Path) -> None:
    """Write the report."""
    # The same content gives the same bytes: no date of writing.
    with PdfPages(path, metadata={"Title": document.title, "CreationDate": None}) as pages:
        setter = _Setter(pages)
        setter.text(document.title, size=20, weight="bold", after=0.12)
        setter.text(document.subtitle, color=_SOFT, after=0.2)
        for section in document.sections:
            opening = _HEADING + sum(map(_least_height, _opening(section.blocks)))
            setter.keep_together(min(opening, _FULL_PAGE))
            setter.space(0.14)
            setter.text(section.title, size=13.5, weight="bold", after=0.06)
            for block, following in pairwise([*section.blocks, ""]):
                if isinstance(block, str) and isinstance(following, Chart | Table):  # it introduces that
                    setter.keep_together(min(_least_height(block) + _least_height(following), _FULL_PAGE))
                setter.block(block)
        setter.finish()


def _opening(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks to the first chart or table: a heading does not stand alone at a page's end."""
    taken: list[Block] = []
    for block in blocks:
        taken.append(block)
        if isinstance(block, Chart | Table):
            break
    return taken


def _least_height(block: Block) -> float:
    """Return the inches that a block needs at least: of a table, its first rows."""
    if isinstance(block, Chart):
        width, height = block.figure.get_size_inches()
        return float(height / width * (_PAGE_INCHES[0] - _LEFT - _RIGHT)) + 0.12
    if isinstance(block, Table):
        return 6 * _LINE
    lines = block if isinstance(block, list) else [block]
    return sum(len(textwrap.wrap(line, _CHARACTERS)) for line in lines) * _LINE + 0.1


class _Setter:
    """Sets blocks below each other, and turns the page where one does not fit."""

    def __init__(self, pages: PdfPages) -> None:
        self._pages = pages
        self._page = 0
        self._new_page()

    def block(self, block: Block) -> None:
        if isinstance(block, Chart):
            self._chart(block)
        elif isinstance(block, Table):
            self._table(block)
        elif isinstance(block, list):
            for point in block:
                self.text(point, indent=0.18, bullet=True, after=0.04)
            self.space(0.08)
        else:
            self.text(block, after=0.1)

    def text(
        self,
        text: str,
        *,
        size: float = 9.5,
        weight: str = "normal",
        color: str = _INK,
        indent: float = 0.0,
        bullet: bool = False,
        after: float = 0.0,
    ) -> None:
        width = int(_CHARACTERS * 9.5 / size * (0.9 if weight == "bold" else 1.0) - indent * 12)
        for number, line in enumerate(textwrap.wrap(text, width) or [""]):
            self.keep_together(_LINE * size / 9.5)
            if bullet and number == 0:
                self._put("•", _LEFT, size, weight, color)
            self._put(line, _LEFT + indent, size, weight, color)
            self._y -= _LINE * size / 9.5
        self.space(after)

    def space(self, inches: float) -> None:
        self._y -= inches

    def keep_together(self, inches: float) -> None:
        if self._y - inches < _BOTTOM:
            self._turn()

    def finish(self) -> None:
        self._save()

    def _chart(self, chart: Chart) -> None:
        from matplotlib.image import imread

        image = imread(io.BytesIO(chart.png))
        width = _PAGE_INCHES[0] - _LEFT - _RIGHT
        height = width * image.shape[0] / image.shape[1]
        self.keep_together(height)
        axes = self._figure.add_axes(
            (
                _LEFT / _PAGE_INCHES[0],
                (self._y - height) / _PAGE_INCHES[1],
                width / _PAGE_INCHES[0],
                height / _PAGE_INCHES[1],
            )
        )
        axes.imshow(image, aspect="auto", interpolation="lanczos")
        axes.set_axis_off()
        self._y -= height + 0.12

    def _table(self, table: Table) -> None:
        widths = _column_widths(table)
        for number, row in enumerate([table.header, *table.rows]):
            wrapped = [
                textwrap.wrap(cell, max(4, int(width * _CHARACTERS * 1.02))) or [""]
                for cell, width in zip(row, widths, strict=True)
            ]
            lines = max(map(len, wrapped))
            self.keep_together(lines * _LINE * 0.9 + 0.08)
            left = _LEFT
            for index, (cell, width) in enumerate(zip(wrapped, widths, strict=True)):
                inches = width * (_PAGE_INCHES[0] - _LEFT - _RIGHT)
                for offset, line in enumerate(cell):
                    self._put(
                        line,
                        left + (inches - 0.15 if index in table.numeric else 0.0),
                        8.5,
                        "bold" if index == 0 or number == 0 else "normal",
                        _SOFT if number == 0 else _INK,
                        dy=-offset * _LINE * 0.9,
                        align="right" if index in table.numeric else "left",
                    )
                left += inches
            self._y -= lines * _LINE * 0.9 + 0.05
            self._rule()
            self._y -= 0.03
        self.space(0.14)

    def _rule(self) -> None:
        from matplotlib.lines import Line2D

        y = self._y / _PAGE_INCHES[1]
        x = (_LEFT / _PAGE_INCHES[0], 1 - _RIGHT / _PAGE_INCHES[0])
        self._figure.add_artist(Line2D(x, (y, y), color=_RULE, linewidth=0.6))

    def _put(
        self,
        text: str,
        x: float,
        size: float,
        weight: str,
        color: str,
        *,
        dy: float = 0.0,
        align: Any = "left",
    ) -> None:
        self._figure.text(
            x / _PAGE_INCHES[0],
            (self._y + dy) / _PAGE_INCHES[1],
            text.replace("$", r"\\$"),
            fontsize=size,
            fontweight=weight,
            color=color,
            va="top",
            ha=align,
        )

    def _turn(self) -> None:
        self._save()
        self._new_page()

    def _new_page(self) -> None:
        self._page += 1
        self._figure = Figure(figsize=_PAGE_INCHES)
        self._y = _PAGE_INCHES[1] - _TOP

    def _save(self) -> None:
        self._figure.text(0.5, 0.4 / _PAGE_INCHES[1], str(self._page), fontsize=8.5, color=_SOFT, ha="center")
        self._pages.savefig(self._figure)  # type: ignore[no-untyped-call]  # matplotlib has no types here


def _column_widths(table: Table) -> list[float]:
    """Return each column's share of the width: by its longest cell, within reason."""
    columns: Iterator[tuple[str, ...]] = zip(table.header, *table.rows, strict=True)
    longest = [min(max(max(map(len, column)) + 2, 8), 60) for column in columns]
    return [length / sum(longest) for length in longest]
