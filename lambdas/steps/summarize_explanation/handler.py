"""After the explain job: say in words what it found, or why there is no explanation."""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger, Tracer

from lambdas.adapters.run_documents import read_importance
from lambdas.runtime.notification import reason_of
from lambdas.runtime.workflow_payload import run_of
from lambdas.steps.summarize_explanation.effects import SummaryEffects
from lambdas.steps.summarize_explanation.environment import SummarizeExplanationEnvironment
from watchkeeper.regression.importance import importance_sentence

logger = Logger(service=SummarizeExplanationEnvironment.service)
tracer = Tracer(service=SummarizeExplanationEnvironment.service)


@functools.cache
def effects() -> SummaryEffects:
    """Return the effects of this process."""
    return SummaryEffects.in_aws()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return summarize(event, effects())


def summarize(payload: dict[str, Any], world: SummaryEffects) -> dict[str, Any]:
    """Summarize the run's explanations; with an error, say that they were skipped and why.

    Raises
    ------
    ContractViolationError
        If the job left no explanations.
    """
    run = run_of(payload)
    error = payload.get("error")
    if error:
        reason = reason_of(error)
        logger.warning("the explanation was skipped", extra={"run_id": run.run_id, "reason": reason})
        return {"status": "skipped", "summary": f"It was not explained: {reason}", "uri": ""}
    summary = importance_sentence(read_importance(run, world.objects))
    logger.info("explained", extra={"run_id": run.run_id, "summary": summary})
    return {
        "status": "explained",
        "summary": f"{summary} Report: {run.uris.explanations}report.html",
        "uri": run.uris.explanations,
    }
