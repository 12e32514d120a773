"""Documents of a workload of any kind: plan, evaluation and release are JSON that says its kind.

A document without `kind` is of an anomaly workload.
"""

from __future__ import annotations

from typing import TypeVar

from watchkeeper.core import layout
from watchkeeper.core.documents import Document, parsed
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.fraud.evaluation import FraudEvaluation
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.release import FraudRelease
from watchkeeper.judgement.evaluation import Evaluation
from watchkeeper.lifecycle.release import Release
from watchkeeper.regression.evaluation import RegressionEvaluation
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.release import RegressionRelease

AnyPlan = WorkloadPlan | RegressionPlan | FraudPlan
AnyEvaluation = Evaluation | RegressionEvaluation | FraudEvaluation
AnyRelease = Release | RegressionRelease | FraudRelease

Anomaly = TypeVar("Anomaly", bound=Document)
Regression = TypeVar("Regression", bound=Document)
Fraud = TypeVar("Fraud", bound=Document)


def plan_from_json(text: str | bytes) -> AnyPlan:
    """Read a plan of any kind.

    Raises
    ------
    ContractViolationError
        If its kind is unknown, or it is not of this release; as all of this module.
    """
    return _of_its_kind(text, WorkloadPlan, RegressionPlan, FraudPlan)


def digest_of(plan: AnyPlan) -> str:
    """Return what tells one plan from another: 16 hexadecimal characters."""
    return layout.short_hash(plan.to_json())


def evaluation_from_json(text: str | bytes) -> AnyEvaluation:
    """Read an evaluation of any kind."""
    return _of_its_kind(text, Evaluation, RegressionEvaluation, FraudEvaluation)


def release_from_json(text: str | bytes) -> AnyRelease:
    """Read a release of any kind."""
    return _of_its_kind(text, Release, RegressionRelease, FraudRelease)


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


def fraud_plan(plan: AnyPlan) -> FraudPlan:
    """Return the plan of a workload that scores transactions.

    Raises
    ------
    InvalidInputError
        If the workload is of another kind.
    """
    if isinstance(plan, FraudPlan):
        return plan
    kind = getattr(plan, "kind", "anomaly")
    raise InvalidInputError(f"workload {plan.workload!r} is of kind {kind}: it takes no transactions")


def readers_in(plan: AnyPlan) -> tuple[str, ...]:
    """Return the tenants that may see the workload; a kind without readers is the administrators' alone."""
    return () if isinstance(plan, RegressionPlan) else plan.readers


def _of_its_kind(
    text: str | bytes, anomaly: type[Anomaly], regression: type[Regression], fraud: type[Fraud]
) -> Anomaly | Regression | Fraud:
    document = parsed(text, "document")
    match document.get("kind") if isinstance(document, dict) else None:
        case "regression":
            return regression.from_dict(document)
        case "fraud":
            return fraud.from_dict(document)
        case _:
            return anomaly.from_dict(document)
