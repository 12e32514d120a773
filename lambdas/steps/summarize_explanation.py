"""After the explain job: say in words what it found, or why there is no explanation."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from aws_lambda_powertools import Logger

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore
from lambdas.adapters.run_documents import read_importance
from lambdas.runtime.notification import reason_of
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import RUN_KEYS, RUNS_PREFIX, AwsCalls, StepEnvironment, step_handler
from watchkeeper.regression.importance import importance_sentence


@dataclass(frozen=True, kw_only=True)
class SummarizeExplanationEnvironment(StepEnvironment):
    """What `summarize_explanation` is told when it is deployed."""

    service: ClassVar[str] = "summarize_explanation"
    purpose: ClassVar[str] = "Says in words what an explain job found"
    calls: ClassVar[AwsCalls] = AwsCalls(reads=(RUN_KEYS,), lists=(RUNS_PREFIX,))


logger = Logger(service=SummarizeExplanationEnvironment.service)


@dataclass(frozen=True)
class Explanation:
    """The answer of `summarize_explanation`: what is known of the model's explanations."""

    status: Literal["explained", "skipped"]
    summary: str
    """For people: what matters most, or why there is none."""
    uri: str
    """S3 prefix of the explanations; empty where there are none."""


def summarize(payload: dict[str, Any], objects: ObjectStore) -> dict[str, Any]:
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
        return dataclasses.asdict(Explanation("skipped", f"It was not explained: {reason}", ""))
    summary = importance_sentence(read_importance(run, objects))
    logger.info("explained", extra={"run_id": run.run_id, "summary": summary})
    uri = run.uris.explanations
    return dataclasses.asdict(Explanation("explained", f"{summary} Report: {uri}report.html", uri))


handle = step_handler(summarize, SummarizeExplanationEnvironment, lambda _: S3ObjectStore(clients.s3()))
