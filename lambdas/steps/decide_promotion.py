"""The gate of the training workflow: may the candidate serve?"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from aws_lambda_powertools import Logger

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore
from lambdas.adapters.run_documents import read_evaluation, read_not_compared, read_plan
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import RUN_KEYS, RUNS_PREFIX, AwsCalls, StepEnvironment, step_handler
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.fraud.evaluation import FraudEvaluation, FraudMetrics, decide_fraud
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.judgement.evaluation import Evaluation, Metrics
from watchkeeper.judgement.promotion import Decision, decide_promotion
from watchkeeper.kinds import AnyEvaluation, AnyPlan
from watchkeeper.regression.evaluation import RegressionEvaluation, RegressionMetrics, decide_regression
from watchkeeper.regression.plan import RegressionPlan


@dataclass(frozen=True, kw_only=True)
class DecidePromotionEnvironment(StepEnvironment):
    """What `decide_promotion` is told when it is deployed."""

    service: ClassVar[str] = "decide_promotion"
    purpose: ClassVar[str] = "Applies the promotion rule to an evaluation"
    calls: ClassVar[AwsCalls] = AwsCalls(reads=(RUN_KEYS,), lists=(RUNS_PREFIX,))


logger = Logger(service=DecidePromotionEnvironment.service)


@dataclass(frozen=True)
class Decided:
    """The answer of `decide_promotion`."""

    approved: bool
    reasons: list[str]
    metrics: dict[str, float]


def decide(payload: dict[str, Any], objects: ObjectStore) -> dict[str, Any]:
    """Apply the plan's gate to the run's evaluation."""
    run = run_of(payload)
    evaluation = read_evaluation(run, objects)
    decision = _decision(evaluation, read_plan(run, objects))
    logger.info("decided", extra={"run_id": run.run_id, "approved": decision.approved})
    reasons, why = decision.reasons, read_not_compared(run, objects)
    if why is not None and not any(why in reason for reason in reasons):
        reasons = [*reasons, f"Not compared with the model in service: {why}."]
    if not decision.approved:
        reasons = [*reasons, f"Figures and charts: {run.uris.evaluation}"]
    decided = Decided(decision.approved, reasons, known_figures(evaluation.candidate))
    return dataclasses.asdict(decided)


def _decision(evaluation: AnyEvaluation, plan: AnyPlan) -> Decision:
    match evaluation, plan:
        case Evaluation(), WorkloadPlan():
            return decide_promotion(evaluation, plan.gate)
        case RegressionEvaluation(), RegressionPlan():
            return decide_regression(evaluation, plan.gate)
        case FraudEvaluation(), FraudPlan():
            return decide_fraud(evaluation, plan.gate)
        case _:
            raise ContractViolationError(
                f"the evaluation of {evaluation.workload} is not of its plan's kind: deploy the stacks again"
            )


def known_figures(metrics: Metrics | RegressionMetrics | FraudMetrics) -> dict[str, float]:
    """Return the metrics that have a value."""
    return {name: value for name, value in dataclasses.asdict(metrics).items() if value is not None}


handle = step_handler(decide, DecidePromotionEnvironment, lambda _: S3ObjectStore(clients.s3()))
