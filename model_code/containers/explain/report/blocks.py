"""What a report is made of: sections of paragraphs, points, tables and charts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from watchkeeper.charts.style import png

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Chart:
    """A figure and its file's name."""

    name: str
    figure: Figure
    alternative: str
    """What it shows, for who cannot see it."""

    @cached_property
    def png(self) -> bytes:
        """The image, drawn once for the file, the page and the PDF."""
        return png(self.figure)


@dataclass(frozen=True)
class Table:
    """Rows of text; the first column names the row."""

    header: list[str]
    rows: list[list[str]]
    numeric: frozenset[int] = frozenset()
    """Columns that are numbers."""


Block = str | Table | Chart | list[str]
"""A paragraph, a table, a chart, or a list of points."""


@dataclass(frozen=True)
class Section:
    """A heading and what is below it."""

    title: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Document:
    """The report."""

    title: str
    subtitle: str
    sections: list[Section]

    @property
    def charts(self) -> list[Chart]:
        """All charts, in order."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Chart)]
