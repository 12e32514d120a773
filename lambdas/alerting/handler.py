"""What the alert bus says of incidents and transactions: route, deduplicate, throttle, and tell people and
programs once; what nobody answers is told to the next route, a day in a digest, and a test by its sample.

What is redelivered finds its idempotency record and publishes nothing. At one point delivery is at least
once: if the function dies after SNS took the alert and before the record says so, the next delivery publishes
again. Both alerts have the same `alert_id`.
"""

from __future__ import annotations

import functools
from datetime import datetime

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.alerting.alert import Asked, announced
from lambdas.alerting.digest import DigestDue
from lambdas.alerting.effects import AlertEffects
from lambdas.alerting.environment import PublishAlertEnvironment
from lambdas.alerting.publishing import publish, publish_digest, publish_sample, publish_unanswered
from lambdas.alerting.sample import RouteTest
from lambdas.runtime.queue_handler import once, queue_handler
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from watchkeeper.incidents.unanswered import Unanswered

logger = Logger(service=PublishAlertEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=PublishAlertEnvironment.service)


@functools.cache
def effects() -> AlertEffects:
    """Return the effects of this process."""
    return AlertEffects.in_aws(PublishAlertEnvironment.from_environ())


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Publish what one message says, unless that was done."""
    asked, at = announced(record.body)
    table = PublishAlertEnvironment.from_environ().idempotency_table
    once(table, _key(asked, at), lambda_context, functools.partial(_publish, asked, at))


def _key(asked: Asked, at: datetime) -> str:
    match asked:
        case RouteTest():
            return f"test#{asked.test_id}"
        case Unanswered():
            return f"unanswered#{asked.key}"
        case DigestDue():
            return f"digest#{asked.workload}#{asked.channel}#{at.isoformat()}"
    return asked.alert_id


def _publish(asked: Asked, at: datetime) -> None:
    match asked:
        case RouteTest():
            publish_sample(asked, effects())
            logger.info("tested", extra={"test_id": asked.test_id, "channel": asked.channel})
            return
        case Unanswered():
            report, of = publish_unanswered(asked, at, effects()), asked.key
        case DigestDue():
            report, of = publish_digest(asked, at, effects()), f"digest of {asked.workload}"
        case _:
            report, of = publish(asked, at, effects()), asked.alert_id
    logger.info("alerted", extra={"alert_id": of, "told": report.published, "throttled": report.throttled})
    if isinstance(asked, DigestDue):
        return  # no alert: the budget knows nothing of it
    told = {"alerts_published": len(report.published), "alerts_throttled": len(report.throttled)}
    counts = {name: count for name, count in told.items() if count}
    if not counts:  # a metric is paid for in each hour in which it is written
        return
    metrics.add_dimension("workload", asked.workload)
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    metrics.flush_metrics()


handle = queue_handler(handle_message, PublishAlertEnvironment)
