"""Which channels an anomaly concerns, what they are sent, and how often: at most one alert of a series and
channel in `throttle_seconds` of event time.

An anomaly that is let through claims the time around it, under its own id. The rule looks at event times
only, and to both sides, so:

- two alerts of a series and channel are never less than `throttle_seconds` apart, whatever the order;
- the same anomaly always gets the same answer, however often it comes;
- which of several anomalies close together is let through does depend on the order: the first to come.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.anomalies.event import EVENT_DETAIL_TYPE, AnomalyEvent, alert_subject, alert_text
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import AlertPlan
from watchkeeper.fraud.decided import (
    DECIDED_DETAIL_TYPE,
    DecidedTransaction,
    decided_subject,
    decided_text,
)
from watchkeeper.telemetry.selection import mute_of

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


Announced = AnomalyEvent | DecidedTransaction
"""What there are alerts of."""


def announced(message: str) -> Announced:
    """Read EventBridge's event of an anomaly, or of a transaction that was decided.

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
    if detail_type == EVENT_DETAIL_TYPE:
        return AnomalyEvent.from_dict(detail)
    if detail_type == DECIDED_DETAIL_TYPE:
        return DecidedTransaction.from_dict(detail)
    raise InvalidInputError(
        f"event of type {detail_type!r}, expected {EVENT_DETAIL_TYPE!r} or {DECIDED_DETAIL_TYPE!r}",
        reason="bad_event",
    )


def channels_of(event: Announced, alerts: AlertPlan) -> list[str]:
    """Return the channels whose routes take an anomaly of this severity, each once, in the plan's order; none
    of a series that is muted."""
    if isinstance(event, AnomalyEvent) and mute_of(event.series, event.at, alerts.mutes) is not None:
        return []
    return list(
        dict.fromkeys(route.channel for route in alerts.routes if event.severity >= route.severity_at_least)
    )


def alert_of(event: Announced, channels: Sequence[str], timezone: str = "UTC") -> Alert:
    """Write the alert. A receiver removes repetitions by `anomaly_id`, or by workload and `id`.

    Parameters
    ----------
    timezone
        IANA name of the source's zone: the text tells times in it, the JSON in UTC.
    """
    if isinstance(event, DecidedTransaction):
        subject, text = decided_subject(event), decided_text(event, timezone)
    else:
        subject, text = alert_subject(event), alert_text(event, timezone)
    structured = json.dumps({**event.to_dict(), "routes": list(channels)}, sort_keys=True)
    return Alert(
        subject=subject,
        messages={"default": text, "email": text, **dict.fromkeys(STRUCTURED_PROTOCOLS, structured)},
        workload=event.workload,
        severity=event.severity,
        channels=tuple(channels),
    )


MAX_CLAIMS = 100
"""Claims that are remembered, the newest in event time."""


@dataclass(frozen=True)
class Claims:
    """Anomalies of one series that one channel was told of."""

    entries: tuple[tuple[int, str], ...] = ()
    """Interval start, in seconds since 1970, and anomaly id; ascending."""

    def to_json(self) -> str:
        """Return the claims as JSON."""
        return json.dumps(self.entries, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Claims:
        """Read what `to_json` returned."""
        return cls(tuple((int(at), str(anomaly_id)) for at, anomaly_id in json.loads(text)))

    def holds(self, anomaly_id: str) -> bool:
        """Tell whether the anomaly has a claim."""
        return any(claimed_by == anomaly_id for _, claimed_by in self.entries)

    def with_claim(self, anomaly_id: str, at: int, throttle_seconds: int) -> Claims:
        """Return the claims with the anomaly's, unless it has one or another one is too near."""
        if self.holds(anomaly_id) or any(abs(at - other) < throttle_seconds for other, _ in self.entries):
            return self
        return Claims(tuple(sorted((*self.entries, (at, anomaly_id)))[-MAX_CLAIMS:]))
