"""What the jobs of a training run wrote, as the workflow's functions read it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeVar

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.fraud.plan import FRAUD
from watchkeeper.kinds import AnyEvaluation, AnyPlan, evaluation_from_json, plan_from_json
from watchkeeper.lifecycle.run import NOT_COMPARED_NAME, TrainingRun
from watchkeeper.regression.importance import global_importance
from watchkeeper.regression.plan import REGRESSION

Plan = TypeVar("Plan", bound=Document)

_ANSWERS = {"anomaly": "scores", REGRESSION: "predictions", FRAUD: "probabilities"}
"""What the answers of a smoke test are called, by the kind of workload."""


@dataclass(frozen=True)
class SmokeCase:
    """Rows with the answers that the model gave them in its evaluation."""

    rows: tuple[str, ...]
    answers: tuple[float, ...]
    """Scores or, of other kinds of workload, predictions or probabilities of fraud."""
    tolerance: float
    """Largest difference that counts as the same answer, relative to the larger of 1 and the answer."""
    kind: Literal["anomaly", "regression", "fraud"] = "anomaly"

    def probe(self) -> tuple[str, float]:
        """Return the row that tells the model from others, and its score.

        It is the one with the highest score that no other row has: where rows share a score, such as 0 or
        a ceiling, another model may give the same.
        """
        shared = {score for score, count in Counter(self.answers).items() if count > 1}
        row, score = max(
            zip(self.rows, self.answers, strict=True), key=lambda item: (item[1] not in shared, item[1])
        )
        return row, score


def read_plan(run: TrainingRun, objects: ObjectStore) -> AnyPlan:
    """Return the plan that the run was started with."""
    return plan_from_json(_read(run.uris.plan, objects))


def read_plan_of(kind: type[Plan], run: TrainingRun, objects: ObjectStore) -> Plan:
    """Return the plan of a run of one kind of workload.

    Raises
    ------
    ContractViolationError
        If the workload is of another kind.
    """
    return kind.from_json(_read(run.uris.plan, objects))


def read_evaluation(run: TrainingRun, objects: ObjectStore) -> AnyEvaluation:
    """Return the candidate's evaluation."""
    return evaluation_from_json(_read(f"{run.uris.evaluation}evaluation.json", objects))


def read_not_compared(run: TrainingRun, objects: ObjectStore) -> str | None:
    """Return why the model in service is no champion of the run; None where it is one, or none serves."""
    uri = ObjectUri.parse(f"{run.uris.champion}{NOT_COMPARED_NAME}")
    # Looked for by a list: who may list a prefix only is refused an object that is not there.
    found = objects.read(uri) if objects.any_under(uri) else None
    return None if found is None else found.decode()


def read_importance(run: TrainingRun, objects: ObjectStore) -> dict[str, float]:
    """Return the global importance of each feature, the largest first."""
    return global_importance(_read(f"{run.uris.explanations}analysis.json", objects))


def read_smoke_case(run: TrainingRun, objects: ObjectStore) -> SmokeCase:
    """Return the rows of the smoke test.

    Raises
    ------
    ContractViolationError
        If there are none, or not as many answers as rows.
    """
    uri = f"{run.uris.evaluation}smoke.json"
    try:
        document = json.loads(_read(uri, objects))
        kind = document.get("kind", "anomaly")
        case = SmokeCase(
            tuple(map(str, document["rows"])),
            tuple(map(float, document[_ANSWERS[kind]])),
            float(document["tolerance"]),
            kind,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ContractViolationError(f"{uri} is not a smoke test: {error!r}") from error
    if not case.rows or len(case.rows) != len(case.answers):
        raise ContractViolationError(f"{uri} has {len(case.rows)} rows and {len(case.answers)} answers")
    return case


def _read(uri: str, objects: ObjectStore) -> bytes:
    body = objects.read(ObjectUri.parse(uri))
    if body is None:
        raise ContractViolationError(f"{uri} does not exist: the job that should have written it did not")
    return body
