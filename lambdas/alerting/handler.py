"""Anomalies from the alert bus: route, deduplicate, throttle, and tell people and programs once."""

from __future__ import annotations

import functools

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.alerting.alert import announced_anomaly
from lambdas.alerting.effects import AlertEffects
from lambdas.alerting.environment import PublishAlertEnvironment
from lambdas.alerting.publishing import publish_anomaly
from lambdas.runtime.idempotent import once
from lambdas.runtime.queue_handler import queue_handler
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from watchkeeper.anomalies.event import AnomalyEvent

logger = Logger(service=PublishAlertEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=PublishAlertEnvironment.service)


@functools.cache
def effects() -> AlertEffects:
    """Return the effects of this process."""
    return AlertEffects.in_aws(PublishAlertEnvironment.from_environ())


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


handle = queue_handler(handle_message, PublishAlertEnvironment)
