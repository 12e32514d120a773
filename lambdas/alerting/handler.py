"""Anomalies from the alert bus: route, deduplicate, throttle, and tell people and programs once."""

from __future__ import annotations

import functools
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients as aws_clients
from lambdas.alerting.alert import announced_anomaly
from lambdas.alerting.effects import AlertEffects
from lambdas.alerting.environment import PublishAlertEnvironment
from lambdas.alerting.publishing import publish_anomaly
from lambdas.runtime.idempotent import once
from lambdas.runtime.redelivery import bring_again_soon
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from watchkeeper.anomalies.event import AnomalyEvent

logger = Logger(service=PublishAlertEnvironment.service)
tracer = Tracer(service=PublishAlertEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=PublishAlertEnvironment.service)
processor = BatchProcessor(
    event_type=EventType.SQS,
    raise_on_entire_batch_failure=False,
    logger=logger,  # type: ignore[arg-type]  # Powertools' logger has the methods of the standard one
)


@functools.cache
def effects() -> AlertEffects:
    """Return the effects of this process."""
    return AlertEffects.in_aws(PublishAlertEnvironment.from_environ())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Lambda entry point: a batch of SQS messages; those that failed come again."""
    response = process_partial_response(event, handle_message, processor, context)
    return bring_again_soon(event, response, aws_clients.sqs, logger)


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Publish the anomaly of one message, unless that was done."""
    event = announced_anomaly(record.body)
    table = PublishAlertEnvironment.from_environ().idempotency_table
    once(table, event.anomaly_id, lambda_context, functools.partial(_publish, event))


def _publish(event: AnomalyEvent) -> None:
    report = publish_anomaly(event, effects())
    logger.info(
        "alerted",
        extra={"anomaly_id": event.anomaly_id, "told": report.published, "throttled": report.throttled},
    )
    metrics.add_dimension("workload", event.workload)
    metrics.add_metric("alerts_published", MetricUnit.Count, len(report.published))
    metrics.add_metric("alerts_throttled", MetricUnit.Count, len(report.throttled))
    metrics.flush_metrics()
