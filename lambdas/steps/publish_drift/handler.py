"""The end of a run of the drift monitor: its report becomes metrics, and an alarm watches these."""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.adapters.object_store import ObjectUri
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.runtime.workflow_payload import text_of
from lambdas.steps.publish_drift.effects import PublishDriftEffects
from lambdas.steps.publish_drift.environment import PublishDriftEnvironment
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.regression.drift import DriftReport

NDCG_METRIC = "attribution_ndcg"
ROWS_METRIC = "attribution_rows"

logger = Logger(service=PublishDriftEnvironment.service)
tracer = Tracer(service=PublishDriftEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=PublishDriftEnvironment.service)


@functools.cache
def effects() -> PublishDriftEffects:
    """Return the effects of this process."""
    return PublishDriftEffects.in_aws()


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    return publish(event, effects())


def publish(payload: dict[str, Any], world: PublishDriftEffects) -> dict[str, Any]:
    """Tell what the run found. Where nothing was compared there is no NDCG, and so no alarm.

    Raises
    ------
    ContractViolationError
        If the report is missing or not one.
    """
    uri = text_of(payload, "report_uri")
    body = world.objects.read(ObjectUri.parse(uri))
    if body is None:
        raise ContractViolationError(f"{uri} does not exist")
    report = DriftReport.from_json(body)
    if report.status == "to_compare":
        raise ContractViolationError(f"{uri} was not compared")
    emit(report)
    tell = logger.warning if report.status == "drifted" else logger.info
    tell(report.in_words, extra={"workload": report.workload, "report": uri, "status": report.status})
    return {"status": report.status, "summary": report.in_words, "uri": uri}


def emit(report: DriftReport) -> None:
    """Write the report's metrics, with the workload as their dimension."""
    metrics.add_dimension("workload", report.workload)
    metrics.add_metric(ROWS_METRIC, MetricUnit.Count, report.rows_captured)
    if report.ndcg is not None:
        metrics.add_metric(NDCG_METRIC, MetricUnit.NoUnit, report.ndcg)
    metrics.flush_metrics()
