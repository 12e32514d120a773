"""A fraud workload's endpoint: ego rows in, a probability a row out, with what each relation adds."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lambdas.adapters.endpoint import invoke
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.telemetry.payloads import JSONLINES

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

NPY = "application/x-npy"
MOST_BODY_BYTES = 5_000_000
"""SageMaker takes 6 MiB."""


@dataclass(frozen=True)
class Scored:
    """What the model says of a row."""

    pred_prob: float
    contributions: tuple[float, ...] = ()
    """What each relation adds to the log-odds, in the plan's order."""
    threshold: float | None = None
    """The model's own, if it says so: which model it is."""
    moved: tuple[tuple[int, int], ...] = ()
    """Earlier transactions that moved it, that which did most first: relation, place among its latest."""


class FraudEndpoint(Protocol):
    """A way to have ego rows scored."""

    def score(self, endpoint: str, rows: NDArray[np.float32]) -> list[Scored]:
        """Return the answers to rows of shape (n_rows, width), in their order.

        Raises
        ------
        RowRefusedError
            If the model refuses a row.
        UnavailableError
            If the endpoint is absent, busy or failing.
        ContractViolationError
            If the answer is not one probability for each row.
        """


@dataclass(frozen=True)
class SageMakerFraudEndpoint:
    """`FraudEndpoint` in SageMaker."""

    client: SageMakerRuntimeClient

    def score(self, endpoint: str, rows: NDArray[np.float32]) -> list[Scored]:
        most = max(1, MOST_BODY_BYTES // max(1, rows[:1].nbytes))
        parts = [rows[first : first + most] for first in range(0, len(rows), most)]
        return [one for part in parts for one in scored_in(self._answer(endpoint, part), len(part), endpoint)]

    def _answer(self, endpoint: str, rows: NDArray[np.float32]) -> bytes:
        body = io.BytesIO()
        np.save(body, rows, allow_pickle=False)
        return invoke(self.client, endpoint, body.getvalue(), ContentType=NPY, Accept=JSONLINES)


def scored_in(body: bytes, n_rows: int, endpoint: str) -> list[Scored]:
    """Read an answer: `{"pred_prob":0.93,"reasons":[0.2,0.4],"threshold":0.5}`, a line a row.

    Raises
    ------
    ContractViolationError
        If it is not of that form, has another number of lines, or a probability is none.
    """
    try:
        found = [_scored(json.loads(line)) for line in body.splitlines() if line.strip()]
    except (KeyError, TypeError, ValueError) as error:
        raise ContractViolationError(
            f"endpoint {endpoint} answered {body[:200]!r}, not a line with `pred_prob` for each row"
        ) from error
    if len(found) != n_rows:
        raise ContractViolationError(f"endpoint {endpoint} gave {len(found)} answers for {n_rows} rows")
    for position, one in enumerate(found):
        if not 0 <= one.pred_prob <= 1 or not all(map(math.isfinite, one.contributions)):
            raise ContractViolationError(f"endpoint {endpoint} gave row {position} {one}")
    return found


def _scored(line: dict[str, Any]) -> Scored:
    contributions: Sequence[Any] = line.get("reasons", ())
    threshold = line.get("threshold")
    return Scored(
        float(line["pred_prob"]),
        tuple(map(float, contributions)),
        None if threshold is None else float(threshold),
        tuple((int(relation), int(place)) for relation, place, _ in line.get("moved", ())),
    )
