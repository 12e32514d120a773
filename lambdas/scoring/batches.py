"""What waits to be scored, in batches whose content does not depend on when they are scored."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.stream.series_state import SeriesState
from watchkeeper.telemetry.context import ContextRow
from watchkeeper.telemetry.rows import format_row

MAX_REQUEST_ROWS = 500
MAX_REQUEST_BYTES = 5_000_000


@dataclass(frozen=True)
class Batch:
    """The intervals of one series that one object closed; never empty."""

    series: str
    rows: tuple[ContextRow, ...]


@dataclass(frozen=True)
class RequestRow:
    """One row of a request to the endpoint."""

    batch: int
    """Position of its batch."""
    position: int
    """Position in its batch."""
    text: str


def batches_of(state: SeriesState, plan: WorkloadPlan) -> list[Batch]:
    """Split a state's outbox at the ends of the objects that closed it.

    Two workers that score the same outbox, one of them with a part of it only, so make the same batches,
    and write the same objects of scores.
    """
    boundaries = sorted(closed_before for _, closed_before in state.applied if closed_before is not None)

    def closed_by(row: ContextRow) -> int:
        return bisect.bisect_right(boundaries, row.interval_start)

    return [
        Batch(state.series, tuple(rows)) for _, rows in itertools.groupby(state.pending(plan), key=closed_by)
    ]


def request_rows(batches: Iterable[Batch]) -> Iterator[RequestRow]:
    """Write the rows of all batches, one after the other."""
    for index, batch in enumerate(batches):
        for position, row in enumerate(batch.rows):
            yield RequestRow(index, position, format_row(row.row(batch.series)))


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
