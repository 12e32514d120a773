"""What waits to be scored, in batches whose content does not depend on when they are scored."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.stream.series_state import SeriesState
from watchkeeper.telemetry.context import ContextRow
from watchkeeper.telemetry.rows import format_row

MAX_REQUEST_ROWS = 500
MAX_REQUEST_BYTES = 5_000_000


@dataclass(frozen=True)
class RequestRow:
    """An interval that waits to be scored: one row of a request to the endpoint."""

    series: str
    context: ContextRow
    text: str

    @classmethod
    def of(cls, series: str, context: ContextRow) -> RequestRow:
        """Write the row of an interval."""
        return cls(series, context, format_row(context.row(series)))


Batch = tuple[RequestRow, ...]
"""The intervals of one series that one object closed; never empty."""


def batches_of(state: SeriesState, plan: WorkloadPlan) -> list[Batch]:
    """Split a state's outbox at the ends of the objects that closed it.

    Two workers that score the same outbox, one of them with a part of it only, so make the same batches,
    and write the same objects of scores.
    """
    boundaries = sorted(closed_before for _, closed_before in state.applied if closed_before is not None)

    def closed_by(context: ContextRow) -> int:
        return bisect.bisect_right(boundaries, context.interval_start)

    return [
        tuple(RequestRow.of(state.series, context) for context in contexts)
        for _, contexts in itertools.groupby(state.pending(plan), key=closed_by)
    ]


def packed(rows: Iterable[RequestRow]) -> list[list[RequestRow]]:
    """Put rows into requests of at most `MAX_REQUEST_ROWS` rows and `MAX_REQUEST_BYTES` bytes."""
    requests: list[list[RequestRow]] = []
    size = 0
    for row in rows:
        row_bytes = len(row.text.encode()) + 1
        if not requests or len(requests[-1]) == MAX_REQUEST_ROWS or size + row_bytes > MAX_REQUEST_BYTES:
            requests.append([])
            size = 0
        requests[-1].append(row)
        size += row_bytes
    return requests
