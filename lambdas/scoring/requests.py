"""Having rows scored by the endpoint, where a row that it refuses does not hold up the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lambdas.adapters.endpoint import RowRefusedError
from lambdas.scoring.probing import ProbedEndpoint
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.stream.judging import REFUSED, Answer

MAX_REQUEST_ROWS = 500
MAX_REQUEST_BYTES = 5_000_000
MAX_REFUSED_ROWS = 20
"""Of one request. Rows are made from checked numbers: when more are refused, the model expects other rows."""


def packed(rows: Iterable[str]) -> list[list[str]]:
    """Put rows into requests of at most `MAX_REQUEST_ROWS` rows and `MAX_REQUEST_BYTES` bytes."""
    requests: list[list[str]] = []
    size = 0
    for row in rows:
        row_bytes = len(row.encode()) + 1
        if not requests or len(requests[-1]) == MAX_REQUEST_ROWS or size + row_bytes > MAX_REQUEST_BYTES:
            requests.append([])
            size = 0
        requests[-1].append(row)
        size += row_bytes
    return requests


def score_request(rows: Sequence[str], endpoint: ProbedEndpoint) -> list[Answer]:
    """Return what becomes of every row of a request, in its order.

    A refused row that the answer names is left out and the request is sent again; where it names none, the
    request is halved until the refused row is alone.

    Raises
    ------
    UnavailableError
        If the endpoint does not answer, or with an unknown model.
    ContractViolationError
        If the answer is not one score a row, or more than `MAX_REFUSED_ROWS` are refused.
    """
    answers: dict[int, Answer] = {}
    refused = 0
    waiting = [list(range(len(rows)))]
    while waiting:
        part = waiting.pop()
        try:
            found = endpoint.score([rows[position] for position in part])
        except RowRefusedError as error:
            place = 0 if len(part) == 1 else error.record
            if place is None or not 0 <= place < len(part):
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
                continue
            refused += 1
            if refused > MAX_REFUSED_ROWS:
                raise ContractViolationError(
                    f"the model of {endpoint.workload} refuses more than {MAX_REFUSED_ROWS} "
                    f"of {len(rows)} rows: {error}"
                ) from error
            answers[part[place]] = Answer(None, reason=REFUSED, refusal=str(error))
            rest = part[:place] + part[place + 1 :]
            waiting += [rest] if rest else []
            continue
        for position, score in zip(part, found.scores, strict=True):
            answers[position] = Answer(score, found.release)
    return [answers[position] for position in range(len(rows))]
