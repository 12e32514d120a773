"""Which channels an anomaly concerns, and what they are sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.anomalies.event import EVENT_DETAIL_TYPE, AnomalyEvent, alert_subject, alert_text
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import AlertPlan

STRUCTURED_PROTOCOLS = ("http", "https", "lambda", "sqs")


@dataclass(frozen=True)
class Alert:
    """One publication on the alert topic."""

    subject: str
    messages: dict[str, str]
    """By protocol: readable text as `default` and `email`, the event as JSON for programs."""
    workload: str
    severity: float
    channels: tuple[str, ...]


def announced_anomaly(message: str) -> AnomalyEvent:
    """Read EventBridge's `Anomaly Detected` event.

    Raises
    ------
    InvalidInputError
        If the message is something else.
    """
    try:
        envelope = json.loads(message)
        detail_type, detail = envelope["detail-type"], envelope["detail"]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"not an event of the alert bus: {error!r} in {message[:200]!r}", reason="bad_event"
        ) from error
    if detail_type != EVENT_DETAIL_TYPE:
        raise InvalidInputError(
            f"event of type {detail_type!r}, expected {EVENT_DETAIL_TYPE!r}", reason="bad_event"
        )
    return AnomalyEvent.from_dict(detail)


def channels_of(event: AnomalyEvent, alerts: AlertPlan) -> list[str]:
    """Return the channels whose routes take an anomaly of this severity, each once, in the plan's order."""
    return list(
        dict.fromkeys(route.channel for route in alerts.routes if event.severity >= route.severity_at_least)
    )


def alert_of(event: AnomalyEvent, channels: Sequence[str]) -> Alert:
    """Write the alert. Its `anomaly_id` is what a receiver removes repetitions by."""
    text = alert_text(event)
    structured = json.dumps({**event.to_dict(), "routes": list(channels)}, sort_keys=True)
    return Alert(
        subject=alert_subject(event),
        messages={"default": text, "email": text, **dict.fromkeys(STRUCTURED_PROTOCOLS, structured)},
        workload=event.workload,
        severity=event.severity,
        channels=tuple(channels),
    )
