"""Having rows scored by the endpoint, where one that it refuses does not hold up the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lambdas.adapters.endpoint import RowRefusedError
from lambdas.scoring.batches import RequestRow
from lambdas.scoring.probing import ProbedEndpoint
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.lifecycle.release import Release

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
