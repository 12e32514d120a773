"""What the alert bus says of incidents and transactions: route, deduplicate, throttle, and tell people and
programs once.

What is redelivered finds its idempotency record and publishes nothing. At one point delivery is at least
once: if the function dies after SNS took the alert and before the record says so, the next delivery publishes
again. Both alerts have the same `alert_id`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.alerting.alert import alert_of, announced
from lambdas.alerting.effects import AlertEffects
from lambdas.alerting.environment import PublishAlertEnvironment
from lambdas.alerting.formats import Announced
from lambdas.alerting.routing import routes_of
from lambdas.runtime.queue_handler import once, queue_handler
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from watchkeeper.incidents.notice import IncidentNotice


@dataclass(frozen=True)
class AlertReport:
    """Who was told, and who was not."""

    published: tuple[str, ...]
    """Channels that were told."""
    throttled: tuple[str, ...]
    """Channels that had an alert of the series shortly before or after, or that never heard of the incident
    which is over."""


def publish(event: Announced, at: datetime, effects: AlertEffects) -> AlertReport:
    """Publish to the channels whose routes the event concerns and that are not throttled.

    Parameters
    ----------
    at
        When the alert bus took the event.

    Raises
    ------
    UnavailableError
        If something does not answer; what was claimed stays claimed.
    """
    alerts = effects.plans.alerts_of(event.workload)
    routes = routes_of(event, at, alerts, effects.incidents.find)
    channels = list(dict.fromkeys(route.channel for route in routes))
    told = _told(event, channels, alerts.throttle_seconds, effects)
    if told:
        effects.topic.publish(alert_of(event, told, effects.plans.timezone_of(event.workload)))
    return AlertReport(told, tuple(channel for channel in channels if channel not in told))


def _told(
    event: Announced, channels: Sequence[str], throttle_seconds: int, effects: AlertEffects
) -> tuple[str, ...]:
    if isinstance(event, IncidentNotice) and event.what == "closed":
        known = effects.told.of(event.incident)
        return tuple(channel for channel in channels if channel in known)
    worse = isinstance(event, IncidentNotice) and event.what == "escalated"
    seconds = 0 if worse else throttle_seconds
    told = tuple(channel for channel in channels if effects.throttle.claim(event, channel, seconds))
    if told and isinstance(event, IncidentNotice):
        effects.told.add(event.incident, told)
    return told


logger = Logger(service=PublishAlertEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=PublishAlertEnvironment.service)


@functools.cache
def effects() -> AlertEffects:
    """Return the effects of this process."""
    return AlertEffects.in_aws(PublishAlertEnvironment.from_environ())


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Publish what one message says, unless that was done."""
    event, at = announced(record.body)
    table = PublishAlertEnvironment.from_environ().idempotency_table
    once(table, event.alert_id, lambda_context, functools.partial(_publish, event, at))


def _publish(event: Announced, at: datetime) -> None:
    report = publish(event, at, effects())
    logger.info(
        "alerted",
        extra={"alert_id": event.alert_id, "told": report.published, "throttled": report.throttled},
    )
    told = {"alerts_published": len(report.published), "alerts_throttled": len(report.throttled)}
    counts = {name: count for name, count in told.items() if count}
    if not counts:  # a metric is paid for in each hour in which it is written
        return
    metrics.add_dimension("workload", event.workload)
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    metrics.flush_metrics()


handle = queue_handler(handle_message, PublishAlertEnvironment)
