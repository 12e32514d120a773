"""Documents of a workload of any kind: plan, evaluation and release are JSON that says its kind.

A document without `kind` is of an anomaly workload.
"""

from __future__ import annotations

import json

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.judgement.evaluation import Evaluation
from watchkeeper.lifecycle.release import Release
from watchkeeper.regression.evaluation import RegressionEvaluation
from watchkeeper.regression.plan import REGRESSION, RegressionPlan
from watchkeeper.regression.release import RegressionRelease

AnyPlan = WorkloadPlan | RegressionPlan
AnyEvaluation = Evaluation | RegressionEvaluation
AnyRelease = Release | RegressionRelease


def plan_from_json(text: str | bytes) -> AnyPlan:
    """Read a plan of any kind.

    Raises
    ------
    ContractViolationError
        If its kind is unknown, or it is not of this release.
    """
    document = json.loads(text)
    kind = document.get("kind")
    if kind is None:
        return WorkloadPlan.from_dict(document)
    if kind == REGRESSION:
        return RegressionPlan.from_dict(document)
    raise ContractViolationError(f"plan of the unknown kind {kind!r}: deploy the stacks again")


def anomaly_plan(plan: AnyPlan) -> WorkloadPlan:
    """Return the plan of a workload that watches telemetry.

    Raises
    ------
    InvalidInputError
        If the workload is of another kind.
    """
    if isinstance(plan, WorkloadPlan):
        return plan
    raise InvalidInputError(
        f"workload {plan.workload!r} is of kind {plan.kind}: it takes no telemetry and raises no anomalies"
    )


def evaluation_from_json(text: str | bytes) -> AnyEvaluation:
    """Read an evaluation of any kind.

    Raises
    ------
    ContractViolationError
        If it is not of this release.
    """
    document = json.loads(text)
    if document.get("kind") == REGRESSION:
        return RegressionEvaluation.from_dict(document)
    return Evaluation.from_json(text)


def release_from_json(text: str | bytes) -> AnyRelease:
    """Read a release of any kind.

    Raises
    ------
    ContractViolationError
        If it is not of this release of the software.
    """
    document = json.loads(text)
    if document.get("kind") == REGRESSION:
        return RegressionRelease.from_dict(document)
    return Release.from_json(text)
