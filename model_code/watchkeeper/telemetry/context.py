"""From a series of closed intervals to rows with lags: one walk for the stream and for the training set.

What a row sees of the past
    At most `shingle - 1` lags, the newest first; fewer at the beginning. Where intervals have no value
    (`watchkeeper.telemetry.missing`), a gap of at most `max_gap_intervals` is bridged with the last one.
    Bridged intervals are seen as lags and are not scored themselves. A longer gap starts the context anew:
    what is not known is left out of a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.telemetry.expectation import EXPECTATION_LAGS, expected_value
from watchkeeper.telemetry.rows import Row

Context = tuple[tuple[int, float], ...]
"""`(interval start, value)` of the latest intervals without a hole, oldest first."""


@dataclass(frozen=True)
class ContextRow:
    """One closed interval with what was known before it."""

    interval_start: int
    """Seconds since 1970."""
    value: float
    lags: tuple[float, ...]
    """At most `shingle - 1` values, the newest first."""
    expected: float | None
    """What the intervals before it led to expect; None where there is none before it."""

    def row(self, series: str) -> Row:
        """The request row of this interval."""
        return Row(EPOCH + timedelta(seconds=self.interval_start), series, self.value, self.lags)


def context_length(plan: WorkloadPlan) -> int:
    """How many intervals of the past are needed to make the next row."""
    return max(plan.features.shingle - 1, EXPECTATION_LAGS)


def extend(
    context: Context, interval_start: int, value: float, plan: WorkloadPlan
) -> tuple[Context, ContextRow]:
    """Add the next closed interval to the context.

    Parameters
    ----------
    context
        The intervals before; empty at the beginning of a series.
    interval_start
        Seconds since 1970; later than the context's last.
    """
    context = _bridged(context, interval_start, plan)
    known = [item for _, item in reversed(context)]
    lags = tuple(known[: plan.features.shingle - 1])
    row = ContextRow(interval_start, value, lags, expected_value(known))
    return (*context, (interval_start, value))[-context_length(plan) :], row


def rows_of(
    values: Iterable[tuple[int, float]], plan: WorkloadPlan, context: Context = ()
) -> Iterator[ContextRow]:
    """Return a row for every `(interval start, value)`, in time order, one after the other."""
    for interval_start, value in values:
        context, row = extend(context, interval_start, value, plan)
        yield row


def _bridged(context: Context, interval_start: int, plan: WorkloadPlan) -> Context:
    if not context:
        return ()
    last_start, last_value = context[-1]
    missing = range(last_start + plan.interval_seconds, interval_start, plan.interval_seconds)
    if len(missing) > plan.max_gap_intervals:
        return ()
    return (*context, *((start, last_value) for start in missing))[-context_length(plan) :]
