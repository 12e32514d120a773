"""Scored intervals as a picture: PNG, or characters for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.text import Text

from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.charts.series import Panel, draw_series, severity_panel
from watchkeeper.charts.style import save
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.core.timestamps import in_zone

ROWS, COLUMNS = 12, 66
"""Of the chart in a terminal."""

FloatArray = npt.NDArray[np.float64]


def save_chart(
    lines: Sequence[ScoreLine], plan: WorkloadPlan, path: Path, circled: int | None = None
) -> None:
    """Write a PNG of one series: values with their band, severity below.

    Parameters
    ----------
    lines
        In the order of time; at least one.
    circled
        Position of the interval that is told of.
    """
    times = np.array([line.start for line in lines], dtype="datetime64[s]")
    known: dict[str, Any] = {
        "anomalous": np.array([line.is_anomaly for line in lines]),
        "circled": circled,
        "step": np.timedelta64(plan.interval_seconds, "s"),
    }
    values = Panel(
        title=lines[0].series,
        x=times,
        values=_column(lines, "value"),
        expected=_column(lines, "expected"),
        lower=_column(lines, "lower"),
        upper=_column(lines, "upper"),
        **known,
    )
    severity = severity_panel(times, _column(lines, "severity"), _limits(lines), **known)
    save(draw_series(plan.workload, [values, severity], timezone=plan.timestamp.timezone), path)


def _limits(lines: Sequence[ScoreLine]) -> npt.NDArray[np.float64]:
    moved = (line.severity_threshold for line in lines)
    return np.array([THRESHOLD_SEVERITY if limit is None else limit for limit in moved])


def terminal_chart(lines: Sequence[ScoreLine], plan: WorkloadPlan) -> Text:
    """Return a picture of one series: `░` is the expected band, `•` a value, `●` an anomaly.

    A column has several intervals where there are more than `COLUMNS`: an anomaly among them is shown.
    """
    values, lower, upper = (_column(lines, name) for name in ("value", "lower", "upper"))
    shown = values[np.isfinite(values)]
    if not len(shown):
        return Text("no values")
    low, high = float(shown.min()), float(shown.max())
    margin = 0.08 * (high - low) or abs(high) or 1.0
    low, high = low - margin, high + margin
    columns = min(COLUMNS, len(lines))
    cells = [[(" ", "")] * columns for _ in range(ROWS)]
    for column, members in enumerate(np.array_split(np.arange(len(lines)), columns)):
        ends = lower[members], upper[members]
        if np.isfinite(ends[0]).any() and np.isfinite(ends[1]).any():
            first, last = (
                _row(float(np.nanmin(ends[0])), low, high),
                _row(float(np.nanmax(ends[1])), low, high),
            )
            for row in range(max(last, 0), min(first, ROWS - 1) + 1):
                cells[row][column] = ("░", "cyan")
        found = [at for at in members.tolist() if np.isfinite(values[at])]
        for at in sorted(found, key=lambda at: lines[at].is_anomaly):
            mark = ("●", "bold red") if lines[at].is_anomaly else ("•", "")
            cells[_row(float(values[at]), low, high)][column] = mark
    text = Text()
    for row, content in enumerate(cells):
        value = high - (row + 0.5) * (high - low) / ROWS
        text.append(f"{value:>10.4g} ┤" if row % 3 == 0 else " " * 11 + "│", style="dim")
        for character, style in content:
            text.append(character, style=style)
        text.append("\n")
    text.append(" " * 11 + "└" + "─" * columns + "\n", style="dim")
    end = lines[-1].start + plan.interval_seconds
    text.append(" " * 12 + in_zone(lines[0].start, plan.timestamp.timezone, until=end), style="dim")
    return text


def _row(value: float, low: float, high: float) -> int:
    """Return the row, from above, of a value; out of view for one beyond the edges."""
    return int(np.floor((high - value) / (high - low) * ROWS))


def _column(lines: Sequence[ScoreLine], name: str) -> FloatArray:
    return np.array(
        [np.nan if (cell := getattr(line, name)) is None else cell for line in lines], dtype=float
    )
