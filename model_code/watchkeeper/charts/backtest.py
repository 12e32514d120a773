"""The incidents of two versions of a workload over time, one version a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watchkeeper.charts.series import Windows, draw_windows, show_times
from watchkeeper.charts.style import ANOMALY, INK, LINE, MUTED, OTHER, WIDTH, add_legend, new_figure, tidy
from watchkeeper.core.severity import THRESHOLD_SEVERITY, severity_heading

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLORS: Mapping[str, str] = {"same": OTHER, "changed": LINE, "appears": ANOMALY, "goes": INK}
_PANEL_INCHES = 2.2


@dataclass(frozen=True)
class Mark:
    """An incident in the chart."""

    start: np.datetime64
    end: np.datetime64
    severity: float
    fate: str
    """A key of `COLORS`."""


def draw_incidents(
    title: str,
    versions: Mapping[str, Sequence[Mark]],
    span: tuple[np.datetime64, np.datetime64],
    windows: Windows = (),
    *,
    timezone: str = "UTC",
) -> Figure:
    """Draw each incident from its beginning to its end at the height of its severity.

    Parameters
    ----------
    versions
        Marks by the name of the version.
    span
        Of the judged time.
    windows
        Beginning and end of each labelled window.
    """
    figure = new_figure(WIDTH, _PANEL_INCHES * len(versions) + 0.9, title)
    drawn = figure.subplots(len(versions), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, marks) in zip(drawn, versions.items(), strict=True):
        draw_windows(axes, windows)
        for fate, color in COLORS.items():
            chosen = [mark for mark in marks if mark.fate == fate]
            if not chosen:
                continue
            heights = [mark.severity for mark in chosen]
            begins, ends = [mark.start for mark in chosen], [mark.end for mark in chosen]
            axes.hlines(heights, begins, ends, color=color, linewidth=3)
            axes.scatter(
                begins, heights, s=22, color=color, edgecolors="white", linewidths=0.5, zorder=3, label=fate
            )
        axes.axhline(THRESHOLD_SEVERITY, color=MUTED, linewidth=0.8, linestyle=":", label="limit")
        axes.set_ylim(THRESHOLD_SEVERITY - 12, 103)
        axes.set_xlim(*span)
        count = "1 incident" if len(marks) == 1 else f"{len(marks)} incidents"
        tidy(axes, title=f"{name}: {count}", y=severity_heading(), grid="y")
    show_times(drawn[-1], timezone)
    add_legend(figure)
    return figure
