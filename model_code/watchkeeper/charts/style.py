"""The look of every chart: colours, a new figure, its axes, and the file.

The colours are of the palette of Okabe and Ito, which people with any colour vision tell apart. In a print
without colour a line is dark, a band and a labelled window are light, and an anomaly is a dot.
"""

from __future__ import annotations

import io
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchkeeper.core.extras import extra
from watchkeeper.core.layout import short_hash

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

INK, MUTED, EDGE, GRID = "#1f2933", "#66727f", "#cbd2d9", "#e4e7eb"
LINE, BAND, ANOMALY, LABEL, OTHER = "#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#8a96a3"
"""A value, its expected band, an anomaly and the threshold, a label, and what is not ours."""

WIDTH = 12.0
"""Of a chart over time, in inches."""
DPI = 130
_TITLE_CHARACTERS = 12.0
"""Of a title, that fit in an inch."""
_LEGEND_INCHES = 1.4
"""Of one entry."""
_NAME_LENGTH = 80


def new_figure(width: float, height: float, title: str = "") -> Figure:
    """Return an empty figure, sizes in inches, with its title at the left."""
    with extra("matplotlib", "drawing a chart"):
        from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    if title:
        text = textwrap.fill(title, int(width * _TITLE_CHARACTERS))
        figure.suptitle(_plain(text), color=INK, fontsize=11, x=0.01, ha="left")
    return figure


def tidy(axes: Axes, *, x: str = "", y: str = "", title: str = "", grid: str = "both") -> None:
    """Name a panel and its axes, and take away what says nothing.

    Parameters
    ----------
    grid
        `both`, `x` or `y`; empty for none.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(EDGE)
    axes.tick_params(colors=MUTED, labelsize=8.5, labelcolor=INK)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.6)  # type: ignore[arg-type]  # one of the three
    for label, text in ((axes.xaxis, x), (axes.yaxis, y)):
        label.set_label_text(_plain(text), color=INK, fontsize=9)
    if title:
        axes.set_title(_plain(title), color=INK, fontsize=9, loc="left")


def bare(axes: Axes, rows: list[str]) -> None:
    """Take the left edge of a panel of horizontal bars or dots away, and name its rows from below."""
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_yticks(range(len(rows)), [_plain(name) for name in rows])


def write_beside(axes: Axes, text: str, x: float, y: float) -> None:
    """Write a number at the right of a bar's end."""
    axes.annotate(
        _plain(text), (x, y), (4, 0), textcoords="offset points", va="center", fontsize=9, color=INK
    )


def add_legend(figure: Figure) -> None:
    """Explain all colours of a figure once, below its panels: there they hide nothing."""
    found: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        legend = figure.legend(
            list(found.values()),
            list(found),
            loc="outside lower left",
            ncols=int(figure.get_figwidth() / _LEGEND_INCHES),
            fontsize=8.5,
            frameon=False,
        )
        for text in legend.get_texts():
            text.set_color(INK)


def low_to_high() -> Colormap:
    """Return the colours of a feature's value, from low to high."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("low to high", [LINE, "#c9cfd6", ANOMALY])


def png(figure: Figure) -> bytes:
    """Return the image: the same bytes for the same numbers."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    # `savefig` would draw all once more, to lay it out
    canvas = FigureCanvasAgg(figure)
    canvas.print_png(buffer, metadata={"Software": None})  # type: ignore[no-untyped-call]  # matplotlib has no types here
    return buffer.getvalue()


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG, and return where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(figure))
    return path


def file_name(name: str) -> str:
    """Return a series' or feature's name as part of a file's name.

    Examples
    --------
    >>> file_name("flow"), file_name("flow|hall=a b")
    ('flow', 'flow-hall-a-b-faa9b9')
    """
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:_NAME_LENGTH]
    return plain if plain == name else f"{plain}-{short_hash(name, 6)}"


def _plain(text: str) -> str:
    """Return text in which a dollar is one: matplotlib reads what is between two of them as a formula."""
    return text.replace("$", r"\$")
