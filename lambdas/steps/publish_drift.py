"""The end of a run of the drift monitor: its report becomes metrics, and an alarm watches these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.runtime.workflow_payload import text_of
from lambdas.runtime.workflow_step import WORKLOAD, AwsCalls, StepEnvironment, step_handler
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.regression.drift import DriftReport

NDCG_METRIC = "attribution_ndcg"
ROWS_METRIC = "attribution_rows"


@dataclass(frozen=True, kw_only=True)
class PublishDriftEnvironment(StepEnvironment):
    """What `publish_drift` is told when it is deployed."""

    service: ClassVar[str] = "publish_drift"
    purpose: ClassVar[str] = "Tells what the attribution drift monitor found"
    calls: ClassVar[AwsCalls] = AwsCalls(
        reads=(f"{layout.drift_prefix(WORKLOAD)}*",), lists=(layout.drift_prefix(WORKLOAD),)
    )

    data_bucket: str


logger = Logger(service=PublishDriftEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=PublishDriftEnvironment.service)


def publish(payload: dict[str, Any], objects: ObjectStore) -> dict[str, Any]:
    """Tell what the run found. Where nothing was compared there is no NDCG, and so no alarm.

    Raises
    ------
    ContractViolationError
        If the report is missing or not one.
    """
    uri = text_of(payload, "report_uri")
    body = objects.read(ObjectUri.parse(uri))
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


handle = step_handler(publish, PublishDriftEnvironment, lambda _: S3ObjectStore(clients.s3()))
