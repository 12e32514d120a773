"""Values and scores over time, in panels above each other.

A long line is drawn by the lowest and the highest value of each of `POINTS` / 2 pieces, so that no spike gets
lost; every anomaly has its dot.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from watchkeeper.charts.style import (
    ANOMALY,
    BAND,
    INK,
    LABEL,
    LINE,
    MUTED,
    WIDTH,
    add_legend,
    new_figure,
    tidy,
)
from watchkeeper.core.severity import THRESHOLD_SEVERITY, severity_heading
from watchkeeper.core.timestamps import time_zone
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.judgement.accuracy import windows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 4000
MAX_COLUMNS = 8
VALUE_INCHES, SCORE_INCHES = 2.3, 1.5

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Places = npt.NDArray[Any]
"""Of the rows: times, dtype datetime64, or numbers of rows."""
Windows = Sequence[tuple[Any, Any]]
"""First and last place of each labelled window."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One line over time, and what is known of it.

    Attributes
    ----------
    x, values : ndarray, shape (n_rows,)
        In order of `x`; NaN is a missing value.
    expected, lower, upper : ndarray or None
        The forecast and its band.
    threshold : ndarray or None
        Over which a row is an anomaly.
    threshold_name
        Of that line, in the legend.
    windows
        What is labelled as anomalous.
    marks
        Places that a vertical line marks, by what they are.
    circled
        The row that the title tells of.
    limits
        Of the vertical axis; None: as the values are.
    step
        Difference of two rows that follow each other, as `x` has it: a longer one is drawn as a gap, since a
        line over it would claim readings that nobody has made. None: ten times the usual one is a gap.
    """

    title: str
    x: Places
    values: FloatArray
    name: str = "value"
    """Of the line, in the legend."""
    color: str = LINE
    expected: FloatArray | None = None
    lower: FloatArray | None = None
    upper: FloatArray | None = None
    threshold: FloatArray | None = None
    threshold_name: str = "threshold"
    anomalous: BoolArray | None = None
    windows: Windows = ()
    marks: Mapping[str, Any] = field(default_factory=dict)
    circled: int | None = None
    limits: tuple[float, float] | None = None
    step: Any = None
    inches: float = VALUE_INCHES


def scores_panel(name: str, x: Places, scores: FloatArray, **known: Any) -> Panel:
    """Return the panel of scores, which stands below that of the values."""
    return Panel(title=name, name=name, x=x, values=scores, color=MUTED, inches=SCORE_INCHES, **known)


def severity_panel(
    x: Places, severity: FloatArray, limit: float | FloatArray = THRESHOLD_SEVERITY, **known: Any
) -> Panel:
    """Return the panel of severities, with the limit from which a row is an anomaly: one, or one a row."""
    limits = np.broadcast_to(np.asarray(limit, dtype=np.float64), (len(x),))
    fixed = len(np.unique(limits)) == 1
    return scores_panel(
        severity_heading(float(limits[0])) if fixed else "severity",
        x,
        severity,
        limits=(0.0, 105.0),
        threshold=limits,
        threshold_name="limit",
        **known,
    )


def draw_series(title: str, panels: Sequence[Panel], *, x: str = "", timezone: str = "UTC") -> Figure:
    """Draw panels that share their horizontal axis.

    Parameters
    ----------
    x
        What the axis is of; empty: of time.
    timezone
        IANA name of the zone that the axis of time is written in; the panels' times are UTC.
    """
    heights = [panel.inches for panel in panels]
    figure = new_figure(WIDTH, sum(heights) + 0.9, title)
    drawn = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, panel in zip(drawn, panels, strict=True):
        _draw(axes, panel)
    if x:
        drawn[-1].set_xlabel(x, color=INK, fontsize=9)
    else:
        show_times(drawn[-1], timezone)
    add_legend(figure)
    return figure


def detector_panels(
    names: Sequence[str],
    times: npt.NDArray[np.datetime64],
    values: FloatArray,
    scores: SeriesScores,
    windows: Windows = (),
    *,
    limit: float = THRESHOLD_SEVERITY,
    step: Any = None,
) -> list[Panel]:
    """Return a panel of each of the first `MAX_COLUMNS` columns with its band, and one of the severity.

    Parameters
    ----------
    values : ndarray, shape (n_rows,) or (n_rows, n_columns)
    limit
        The severity from which a row is an anomaly.
    """
    expected, lower, upper, values = (
        one.reshape(len(times), -1) for one in (scores.expected, scores.lower, scores.upper, values)
    )
    known: dict[str, Any] = {"windows": windows, "anomalous": scores.is_anomaly, "step": step}
    panels = [
        Panel(
            title=name,
            x=times,
            values=values[:, column],
            expected=expected[:, column],
            lower=lower[:, column],
            upper=upper[:, column],
            **known,
        )
        for column, name in enumerate(names[:MAX_COLUMNS])
    ]
    return [*panels, severity_panel(times, scores.severity, limit, **known)]


def labelled_windows(x: Places, labelled: BoolArray) -> list[tuple[Any, Any]]:
    """Return the first and last place of each run of labelled rows."""
    return [(x[first], x[last]) for first, last in windows_of(labelled)]


def extremes(values: FloatArray, points: int = POINTS) -> npt.NDArray[np.int64]:
    """Return the rows, ascending, of the lowest and highest value in each of `points` / 2 equal pieces."""
    if len(values) <= points:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), points // 2 + 1).astype(np.int64)
    low, high = np.where(np.isnan(values), np.inf, values), np.where(np.isnan(values), -np.inf, values)
    chosen = [
        first + part
        for first, last in itertools.pairwise(edges)
        for part in (low[first:last].argmin(), high[first:last].argmax())
    ]
    return np.unique(np.array(chosen, dtype=np.int64))


def draw_windows(axes: Axes, windows: Windows) -> None:
    """Shade labelled windows over a panel's whole height."""
    if windows:
        # the edge keeps a window of one row visible
        spans = [(first, last - first) for first, last in windows]
        axes.broken_barh(
            spans,
            (0, 1),
            transform=axes.get_xaxis_transform(),
            facecolor=(LABEL, 0.25),
            edgecolor=(LABEL, 0.5),
            linewidth=0.8,
            label="labelled",
        )


def _draw(axes: Axes, panel: Panel) -> None:
    draw_windows(axes, panel.windows)
    for name, place in panel.marks.items():
        axes.axvline(place, color=MUTED, linewidth=0.9, linestyle=":", label=name)
    gaps = _gaps(panel.x, panel.step)
    x = np.insert(panel.x, gaps, panel.x[gaps])
    breaks = gaps + np.arange(len(gaps))

    def shown(*columns: FloatArray) -> list[Any]:
        broken = [np.insert(column, gaps, np.nan) for column in columns]
        rows = np.unique(np.concatenate([*map(extremes, broken), breaks]))
        return [x[rows], *(column[rows] for column in broken)]

    if panel.lower is not None and panel.upper is not None and not np.isnan(panel.lower).all():
        band = shown(panel.lower, panel.upper)
        axes.fill_between(*band, color=BAND, alpha=0.35, linewidth=0, label="expected band")
    if panel.expected is not None and not np.isnan(panel.expected).all():
        axes.plot(*shown(panel.expected), color=MUTED, linewidth=0.6, label="expected")
    axes.plot(*shown(panel.values), color=panel.color, linewidth=0.8, label=panel.name)
    if panel.threshold is not None:
        axes.plot(
            *shown(panel.threshold),
            color=ANOMALY,
            linewidth=1.1,
            linestyle=(0, (4, 2)),
            label=panel.threshold_name,
        )
    if panel.anomalous is not None and panel.anomalous.any():
        dots = panel.x[panel.anomalous], panel.values[panel.anomalous]
        axes.scatter(
            *dots, s=20, color=ANOMALY, edgecolors="white", linewidths=0.5, zorder=3, label="anomaly"
        )
    if panel.circled is not None:
        place = [panel.x[panel.circled]], [panel.values[panel.circled]]
        axes.scatter(*place, s=80, facecolors="none", edgecolors=INK, linewidths=1.1, zorder=4)
    axes.set_ylim(*(panel.limits or _limits(panel)))
    axes.margins(x=0.005)
    tidy(axes, title=panel.title, grid="y")


def _gaps(x: Places, step: Any) -> npt.NDArray[np.int64]:
    """Return the first row after each gap."""
    steps = np.diff(x)
    longest = 1.5 * step if step is not None else 10 * np.sort(steps)[len(steps) // 2] if len(steps) else 0
    return np.flatnonzero(steps > longest) + 1 if longest else np.arange(0)


def _limits(panel: Panel) -> tuple[float, float]:
    """Let the values fill the panel: a band can be far wider. Scores have their threshold and 0 in view."""
    values = panel.values[np.isfinite(panel.values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if panel.threshold is not None:
        low, high = 0.0, max(high, float(np.nanmax(panel.threshold)))
        return low, 1.1 * high or 1.0
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin


def show_times(axes: Axes, timezone: str) -> None:
    """Name the times of a horizontal axis in a time zone."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    class KeptDates(AutoDateLocator):
        """Finds the dates of a view once: drawing asks some eighty times, a quarter of what it takes."""

        shown: tuple[float, ...] = ()

        def __call__(self) -> Any:
            view = tuple(self.axis.get_view_interval())  # type: ignore[union-attr]  # drawn ones have one
            if view != self.shown:
                self.dates, self.shown = super().__call__(), view  # type: ignore[no-untyped-call]  # see below
            return self.dates

    zone = time_zone(timezone)
    locator = KeptDates(tz=zone)  # type: ignore[no-untyped-call]  # matplotlib has no types here
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))  # type: ignore[no-untyped-call]  # the same
    axes.xaxis.get_offset_text().set(color=MUTED, fontsize=8.5)
    axes.set_xlabel(f"time ({timezone})", color=INK, fontsize=9)
