"""What waits to be scored, in batches whose content does not depend on when they are scored; and having it
scored by the endpoint, where a row that it refuses does not hold up the others."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lambdas.adapters.endpoint import RowRefusedError
from lambdas.scoring.probing import ProbedEndpoint
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import Release
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


MAX_REFUSED_ROWS = 20
"""Of one request. Rows are made from checked numbers: when more are refused, the model expects other rows."""


@dataclass(frozen=True)
class Outcome:
    """What became of a row: a score and the release whose model gave it, or the reason why there is none."""

    score: float | None
    release: Release | None = None
    reason: str | None = None
    refusal: str | None = None
    """The model's message, if it refused the row."""


def score_request(rows: Sequence[RequestRow], endpoint: ProbedEndpoint) -> dict[RequestRow, Outcome]:
    """Return the outcome of every row of a request.

    A refused row that the answer names is left out and the request is sent again; where it names none, the
    request is halved until the refused row is alone.

    Raises
    ------
    UnavailableError
        If the endpoint does not answer, or with an unknown model.
    ContractViolationError
        If the answer is not one score a row, or more than `MAX_REFUSED_ROWS` are refused.
    """
    outcomes: dict[RequestRow, Outcome] = {}
    refused = 0
    waiting = [list(rows)]
    while waiting:
        part = waiting.pop()
        try:
            answer = endpoint.score([row.text for row in part])
        except RowRefusedError as error:
            position = 0 if len(part) == 1 else error.record
            if position is None or not 0 <= position < len(part):
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
                continue
            refused += 1
            if refused > MAX_REFUSED_ROWS:
                raise ContractViolationError(
                    f"the model of {endpoint.workload} refuses more than {MAX_REFUSED_ROWS} "
                    f"of {len(rows)} rows: {error}"
                ) from error
            outcomes[part[position]] = Outcome(None, reason="refused by the model", refusal=str(error))
            rest = part[:position] + part[position + 1 :]
            waiting += [rest] if rest else []
            continue
        outcomes.update(
            (row, Outcome(score, answer.release)) for row, score in zip(part, answer.scores, strict=True)
        )
    return outcomes
