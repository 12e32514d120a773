"""What the jobs of a training run wrote, as the workflow's functions read it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from lambdas.object_store import ObjectStore, ObjectUri
from watchkeeper.errors import ContractViolationError
from watchkeeper.evaluation import Evaluation
from watchkeeper.plan import WorkloadPlan
from watchkeeper.runs import TrainingRun


@dataclass(frozen=True)
class SmokeCase:
    """Rows with the scores that the model gave them in its evaluation."""

    rows: tuple[str, ...]
    scores: tuple[float, ...]
    tolerance: float
    """Largest difference that counts as the same score, relative to the larger of 1 and the score."""

    def probe(self) -> tuple[str, float]:
        """Return the row that tells the model from others, and its score.

        It is the one with the highest score that no other row has: where rows share a score, such as 0 or
        a ceiling, another model may give the same.
        """
        shared = {score for score, count in Counter(self.scores).items() if count > 1}
        row, score = max(
            zip(self.rows, self.scores, strict=True), key=lambda item: (item[1] not in shared, item[1])
        )
        return row, score


def read_plan(run: TrainingRun, objects: ObjectStore) -> WorkloadPlan:
    """Return the plan that the run was started with."""
    return WorkloadPlan.from_json(_read(run.uris.plan, objects))


def read_evaluation(run: TrainingRun, objects: ObjectStore) -> Evaluation:
    """Return the candidate's evaluation."""
    return Evaluation.from_json(_read(f"{run.uris.evaluation}evaluation.json", objects))


def read_smoke_case(run: TrainingRun, objects: ObjectStore) -> SmokeCase:
    """Return the rows of the smoke test.

    Raises
    ------
    ContractViolationError
        If there are none, or not as many scores as rows.
    """
    uri = f"{run.uris.evaluation}smoke.json"
    try:
        document = json.loads(_read(uri, objects))
        case = SmokeCase(
            tuple(map(str, document["rows"])),
            tuple(map(float, document["scores"])),
            float(document["tolerance"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ContractViolationError(f"{uri} is not a smoke test: {error!r}") from error
    if not case.rows or len(case.rows) != len(case.scores):
        raise ContractViolationError(f"{uri} has {len(case.rows)} rows and {len(case.scores)} scores")
    return case


def _read(uri: str, objects: ObjectStore) -> bytes:
    body = objects.read(ObjectUri.parse(uri))
    if body is None:
        raise ContractViolationError(f"{uri} does not exist: the job that should have written it did not")
    return body
