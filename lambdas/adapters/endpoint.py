"""A workload's endpoint: rows in, one anomaly score or one prediction a row out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from lambdas.adapters.errors import code_of, translated
from watchkeeper.core.causes import without_traceback
from watchkeeper.core.documents import read_part
from watchkeeper.core.errors import ContractViolationError, InvalidInputError, UnavailableError
from watchkeeper.features.contributions import EXPLAINED_JSON, Contribution

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

_NOT_READY = frozenset(
    {"InternalDependencyException", "InternalFailure", "ModelNotReadyException", "ServiceUnavailable"}
)
_NO_ENDPOINT = "ValidationError"
JSON_LINES = "application/jsonlines"
_NAMED_RECORD = re.compile(r"record ([1-9]\d*): ")
"""How `watchkeeper.telemetry.rows` and the serving containers name the record that they refuse, counting
from 1."""


class RowRefusedError(InvalidInputError):
    """The model answered 4xx: a row of the request is not one that it can score. The message is the model's.

    Attributes
    ----------
    record : int or None
        Position of the refused row in the request, from 0; None if the answer does not give it.
    """

    def __init__(self, message: str, record: int | None) -> None:
        super().__init__(message, reason="refused_by_model")
        self.record = record


@dataclass(frozen=True)
class ExplainedAnswer:
    """A score, and what the model says that it is made of."""

    score: float
    contributions: tuple[Contribution, ...]


class Endpoint(Protocol):
    """A way to have rows scored."""

    def score(self, endpoint: str, rows: Sequence[str]) -> tuple[float, ...]:
        """Send the rows as one request and return its scores in the same order.

        Raises
        ------
        RowRefusedError
            If the model refuses a row.
        UnavailableError
            If the endpoint is absent, busy or failing.
        ContractViolationError
            If the answer is not one anomaly score for each row.
        """

    def explain(self, endpoint: str, rows: Sequence[str]) -> tuple[ExplainedAnswer, ...]:
        """Send the rows once more, and have each score explained by the model; errors are those of `score`.

        Only models that explain themselves can answer; see
        `watchkeeper.features.contributions.EXPLAINED_JSON`.
        """

    def predict(self, endpoint: str, rows: Sequence[str]) -> tuple[float, ...]:
        """Send the rows as one request and return its predictions in the same order.

        Raises
        ------
        RowRefusedError, UnavailableError, ContractViolationError
            As `score`.
        """

    def fraud_probabilities(self, endpoint: str, rows: Sequence[str]) -> tuple[float, ...]:
        """Send ego rows as one request and return the probabilities of fraud in the same order.

        Raises
        ------
        RowRefusedError, UnavailableError, ContractViolationError
            As `score`.
        """


@dataclass(frozen=True)
class SageMakerEndpoint:
    """`Endpoint` in SageMaker."""

    client: SageMakerRuntimeClient

    def score(self, endpoint: str, rows: Sequence[str]) -> tuple[float, ...]:
        scores = scores_in(self._answer(endpoint, rows, accept="application/json"), endpoint)
        _check_count(len(scores), len(rows), endpoint)
        return scores

    def explain(self, endpoint: str, rows: Sequence[str]) -> tuple[ExplainedAnswer, ...]:
        answers = explained_scores_in(self._answer(endpoint, rows, accept=EXPLAINED_JSON), endpoint)
        _check_count(len(answers), len(rows), endpoint)
        return answers

    def predict(self, endpoint: str, rows: Sequence[str]) -> tuple[float, ...]:
        predictions = predictions_in(self._answer(endpoint, rows, accept="application/json"), endpoint)
        _check_count(len(predictions), len(rows), endpoint)
        return predictions

    def fraud_probabilities(self, endpoint: str, rows: Sequence[str]) -> tuple[float, ...]:
        found = probabilities_in(self._answer(endpoint, rows, accept=JSON_LINES), endpoint)
        _check_count(len(found), len(rows), endpoint)
        return found

    def _answer(self, endpoint: str, rows: Sequence[str], *, accept: str) -> bytes:
        return invoke(self.client, endpoint, "\n".join(rows).encode(), ContentType="text/csv", Accept=accept)


def scores_in(body: bytes, endpoint: str) -> tuple[float, ...]:
    """Read the scores of an answer: `{"scores":[{"score":0.91},…]}`.

    Raises
    ------
    ContractViolationError
        If it is not of that form, or a score is negative or not finite.
    """
    scores = _finite_in(body, "scores", endpoint)
    for position, score in enumerate(scores):
        if score < 0:
            raise ContractViolationError(f"endpoint {endpoint} gave row {position} the score {score}")
    return scores


def explained_scores_in(body: bytes, endpoint: str) -> tuple[ExplainedAnswer, ...]:
    """Read the scores of an answer that has their contributions.

    Raises
    ------
    ContractViolationError
        If it is not of that form, or contributions do not add up to their score.
    """
    scores = scores_in(body, endpoint)
    try:
        parts = [
            tuple(read_part(Contribution, part, "contribution") for part in entry["contributions"])
            for entry in json.loads(body)["scores"]
        ]
    except (KeyError, TypeError, ContractViolationError) as error:
        raise ContractViolationError(f"endpoint {endpoint} does not explain its scores") from error
    for score, contributions in zip(scores, parts, strict=True):
        total = sum(part.score for part in contributions)
        if not math.isclose(total, score, abs_tol=1e-9):
            raise ContractViolationError(f"endpoint {endpoint} explains {total} of the score {score}")
    return tuple(map(ExplainedAnswer, scores, parts))


def predictions_in(body: bytes, endpoint: str) -> tuple[float, ...]:
    """Read the predictions of an answer: `{"predictions":[{"score":9.8},…]}`.

    Raises
    ------
    ContractViolationError
        If it is not of that form, or a prediction is not finite.
    """
    return _finite_in(body, "predictions", endpoint)


def probabilities_in(body: bytes, endpoint: str) -> tuple[float, ...]:
    """Read the probabilities of an answer, a line a row: `{"pred_prob":0.02,…}`.

    Raises
    ------
    ContractViolationError
        If it is not of that form, or a probability is not in [0, 1].
    """
    try:
        found = tuple(float(json.loads(line)["pred_prob"]) for line in body.splitlines() if line.strip())
    except (KeyError, TypeError, ValueError) as error:
        raise ContractViolationError(
            f'endpoint {endpoint} answered {body[:200]!r}, not lines of {{"pred_prob":…}}'
        ) from error
    for position, probability in enumerate(found):
        if not 0 <= probability <= 1:
            raise ContractViolationError(
                f"endpoint {endpoint} gave row {position} the probability {probability}"
            )
    return found


def refused_record(message: str) -> int | None:
    """Return the position that a refusal begins with: `record 3: …` is the third, position 2."""
    match = _NAMED_RECORD.match(message)
    return int(match[1]) - 1 if match else None


def _finite_in(body: bytes, key: str, endpoint: str) -> tuple[float, ...]:
    try:
        answers = tuple(float(entry["score"]) for entry in json.loads(body)[key])
    except (KeyError, TypeError, ValueError) as error:
        raise ContractViolationError(
            f'endpoint {endpoint} answered {body[:200]!r}, not {{"{key}":[{{"score":…}},…]}}'
        ) from error
    for position, answer in enumerate(answers):
        if not math.isfinite(answer):
            raise ContractViolationError(f"endpoint {endpoint} gave row {position} the score {answer}")
    return answers


def _check_count(scores: int, rows: int, endpoint: str) -> None:
    if scores != rows:
        raise ContractViolationError(f"endpoint {endpoint} gave {scores} scores for {rows} rows")


def invoke(client: SageMakerRuntimeClient, endpoint: str, body: bytes, **types: str) -> bytes:
    """Send a request to an endpoint and return its answer.

    Raises
    ------
    RowRefusedError, UnavailableError
        As `Endpoint.score`.
    """
    with translated(f"invoke endpoint {endpoint}"):
        try:
            return client.invoke_endpoint(EndpointName=endpoint, Body=body, **types)["Body"].read()
        except ClientError as error:
            _raise_classified(error, endpoint)
            raise


def _raise_classified(error: ClientError, endpoint: str) -> None:
    """Raise what an endpoint's refusal means; do nothing where it means nothing of its own."""
    code = code_of(error)
    if code in _NOT_READY or code == _NO_ENDPOINT:
        raise UnavailableError(f"endpoint {endpoint}: {error}") from error
    if code == "ModelError":
        details: dict[str, Any] = dict(error.response)
        status = int(details.get("OriginalStatusCode", 500))
        message = without_traceback(str(details.get("OriginalMessage", "")))
        if 400 <= status < 500 and status != 429:
            raise RowRefusedError(message, refused_record(message)) from error
        raise UnavailableError(f"endpoint {endpoint}: the model answered {status}: {message}") from error
