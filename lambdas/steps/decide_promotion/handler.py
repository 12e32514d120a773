"""The gate of the training workflow: may the candidate serve?"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.adapters.run_documents import read_evaluation, read_plan
from lambdas.runtime.workflow_payload import run_of
from lambdas.steps.decide_promotion.effects import PromotionEffects
from lambdas.steps.decide_promotion.environment import DecidePromotionEnvironment
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.judgement.evaluation import Evaluation, Metrics
from watchkeeper.judgement.promotion import Decision, decide_promotion
from watchkeeper.kinds import AnyEvaluation, AnyPlan
from watchkeeper.regression.evaluation import RegressionEvaluation, RegressionMetrics
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.promotion import decide_regression

logger = Logger(service=DecidePromotionEnvironment.service)
tracer = Tracer(service=DecidePromotionEnvironment.service)


@functools.cache
def effects() -> PromotionEffects:
    """Return the effects of this process."""
    return PromotionEffects.in_aws()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return decide(event, effects())


def decide(payload: dict[str, Any], world: PromotionEffects) -> dict[str, Any]:
    """Apply the plan's gate to the run's evaluation."""
    run = run_of(payload)
    evaluation = read_evaluation(run, world.objects)
    decision = _decision(evaluation, read_plan(run, world.objects))
    logger.info("decided", extra={"run_id": run.run_id, "approved": decision.approved})
    return {
        "approved": decision.approved,
        "reasons": decision.reasons,
        "metrics": known_figures(evaluation.candidate),
    }


def _decision(evaluation: AnyEvaluation, plan: AnyPlan) -> Decision:
    match evaluation, plan:
        case Evaluation(), WorkloadPlan():
            return decide_promotion(evaluation, plan.gate)
        case RegressionEvaluation(), RegressionPlan():
            return decide_regression(evaluation, plan.gate)
        case _:
            raise ContractViolationError(
                f"the evaluation of {evaluation.workload} is not of its plan's kind: deploy the stacks again"
            )


def known_figures(metrics: Metrics | RegressionMetrics) -> dict[str, float]:
    """Return the metrics that have a value."""
    return {name: value for name, value in dataclasses.asdict(metrics).items() if value is not None}
