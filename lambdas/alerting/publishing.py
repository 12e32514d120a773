"""From an anomaly to at most one publication.

A redelivered anomaly finds its idempotency record and publishes nothing. At one point delivery is at least
once: if the function dies after SNS took the alert and before the record says so, the next delivery publishes
again. Both alerts have the same `anomaly_id`.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.alerting.alert import alert_of, channels_of
from lambdas.alerting.effects import AlertEffects
from watchkeeper.anomalies.event import AnomalyEvent


@dataclass(frozen=True)
class AlertReport:
    """What became of an anomaly."""

    published: tuple[str, ...]
    """Channels that were told."""
    throttled: tuple[str, ...]
    """Channels that had an alert of the series shortly before or after."""


def publish_anomaly(event: AnomalyEvent, effects: AlertEffects) -> AlertReport:
    """Publish an anomaly to the channels that its severity concerns and that are not throttled.

    Raises
    ------
    UnavailableError
        If something does not answer; what was claimed stays claimed for this anomaly.
    """
    alerts = effects.plans.plan_of(event.workload).alerts
    channels = channels_of(event, alerts)
    told = tuple(
        channel for channel in channels if effects.throttle.claim(event, channel, alerts.throttle_seconds)
    )
    if told:
        effects.topic.publish(alert_of(event, told))
    return AlertReport(told, tuple(channel for channel in channels if channel not in told))
