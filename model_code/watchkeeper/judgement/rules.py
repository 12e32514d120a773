"""Rules beside the score: what is an anomaly whatever its score, and what is none though its score says so.

One definition for the scoring loop, evaluation and gate, backtest and `watchkeeper score`. Scores, thresholds
that move, and what a detector learns are as they would be without rules: a rule decides what is told. In this
order:

0. At the times of a calendar that holds for the series nothing is an anomaly.
1. A value outside of the allowed range is an anomaly, with at least the stated severity.
2. An anomaly on the other side than `direction`, or nearer to the expected value than `ignore_below`, is
   none. Where nothing is expected yet, neither holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from watchkeeper.core.plan import CalendarPlan, MeasureRules, WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, parse_instant
from watchkeeper.judgement.calendars import covers
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.telemetry.selection import selects
from watchkeeper.telemetry.series import parse_series_key

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

ALLOWED = "allowed"
DIRECTION = "direction"
IGNORE_BELOW = "ignore_below"


class Ruled(NamedTuple):
    """What rules make of a decision."""

    is_anomaly: bool
    rule: str | None = None
    """Which one decided; None where the score did."""
    severity_at_least: float = 0.0


class SeriesRules:
    """The rules that hold for one series.

    A value from `lowest` to `highest` whose score is usual needs no judging: no rule makes it an anomaly.
    """

    def __init__(
        self, measure: MeasureRules, calendars: Sequence[CalendarPlan] = (), interval_seconds: int = 1
    ) -> None:
        self._measure = measure
        self._calendars = calendars
        self._interval_seconds = interval_seconds
        self.lowest = -float("inf") if measure.allowed_from is None else measure.allowed_from
        self.highest = float("inf") if measure.allowed_to is None else measure.allowed_to

    def judge(self, start: int, value: float, expected: float | None, is_anomaly: bool) -> Ruled:
        """Return whether an interval is an anomaly.

        Parameters
        ----------
        start
            Of the interval, in seconds since 1970.
        expected
            What the decision by score was made with; None where nothing was known.
        is_anomaly
            By its score.

        Examples
        --------
        >>> above = SeriesRules(MeasureRules(direction="above", allowed_from=0.0))
        >>> above.judge(0, 3.0, 5.0, is_anomaly=True)
        Ruled(is_anomaly=False, rule='direction', severity_at_least=0.0)
        >>> above.judge(0, -1.0, 5.0, is_anomaly=False)
        Ruled(is_anomaly=True, rule='allowed', severity_at_least=80.0)
        """
        allowed = self.lowest <= value <= self.highest
        if (is_anomaly or not allowed) and (calendar := self.calendar_at(start)):
            return Ruled(False, calendar)
        if not allowed:
            return Ruled(True, ALLOWED, self._measure.allowed_severity)
        if is_anomaly and expected is not None and (rule := self._ignored_by(value, expected)):
            return Ruled(False, rule)
        return Ruled(is_anomaly)

    def calendar_at(self, start: int) -> str | None:
        """Return what a line says of the calendar that an interval is in; None where it is in none."""
        found = (one for one in self._calendars if covers(one, start, self._interval_seconds))
        calendar = next(found, None)
        return None if calendar is None else f"calendar {calendar.name}"

    def is_outside(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Return which values are outside of the allowed range."""
        outside: npt.NDArray[np.bool_] = (values < self.lowest) | (values > self.highest)
        return outside

    def allowed_range(self) -> str:
        """Return the allowed range in words, such as `0 to 100`."""
        low, high = self._measure.allowed_from, self._measure.allowed_to
        if low is None:
            return f"at most {high:g}"
        return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"

    def _ignored_by(self, value: float, expected: float) -> str | None:
        direction, off = self._measure.direction, value - expected
        if (direction == "above" and off <= 0) or (direction == "below" and off >= 0):
            return DIRECTION
        least = max(self._measure.ignore_absolute, self._measure.ignore_relative * abs(expected))
        return IGNORE_BELOW if abs(off) < least else None


class RuleBook:
    """The rules of a plan, by series.

    It is false where there is none: then the score alone decides.
    """

    def __init__(self, plan: WorkloadPlan) -> None:
        self._measures = {one.name: one.rules for one in plan.measures if one.rules is not None}
        self._calendars = plan.calendars
        self._interval_seconds = plan.interval_seconds
        self._known: dict[str, SeriesRules | None] = {}

    def __bool__(self) -> bool:
        return bool(self._measures or self._calendars)

    def of(self, series: str) -> SeriesRules | None:
        """Return the rules of a series; None where there is none."""
        if series not in self._known:
            self._known[series] = self._of(series)
        return self._known[series]

    def _of(self, series: str) -> SeriesRules | None:
        key = parse_series_key(series)
        measure, dimensions = self._measures.get(key.measure), dict(key.dimensions)
        calendars = [one for one in self._calendars if selects(one.series, key.measure, dimensions)]
        if measure is None and not calendars:
            return None
        return SeriesRules(measure or MeasureRules(), calendars, self._interval_seconds)


def ruled(rows: Sequence[HoldbackRow], anomalous: Sequence[bool], plan: WorkloadPlan) -> list[bool]:
    """Return which rows are anomalies by the plan's rules.

    Parameters
    ----------
    anomalous
        Which are by their scores, in the same order.
    """
    book = RuleBook(plan)
    if not book:
        return list(anomalous)
    found = []
    for row, by_score in zip(rows, anomalous, strict=True):
        rules = book.of(row.series)
        start = epoch_seconds(parse_instant(row.interval_start))
        found.append(
            by_score if rules is None else rules.judge(start, row.value, row.expected, by_score).is_anomaly
        )
    return found
