"""Which channels an incident or a transaction concerns, what they are sent, and how often: at most one
incident of a series opens for a channel in `throttle_seconds` of event time. One that gets worse is told
whatever was told before, and its end is told to whom it was told of.

An opening that is let through claims the time around it, under its own id. The rule looks at event times
only, and to both sides, so:

- two of a series and channel are never less than `throttle_seconds` apart, whatever the order;
- the same one always gets the same answer, however often it comes;
- which of several close together is let through does depend on the order: the first to come.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import AlertPlan
from watchkeeper.fraud.decided import (
    DECIDED_DETAIL_TYPE,
    DecidedTransaction,
    decided_subject,
    decided_text,
)
from watchkeeper.incidents.notice import DETAIL_TYPES, IncidentNotice, notice_subject, notice_text

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


Announced = IncidentNotice | DecidedTransaction
"""What there are alerts of."""


def announced(message: str) -> Announced:
    """Read EventBridge's event of an incident, or of a transaction that was decided.

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
    if detail_type in DETAIL_TYPES.values():
        return IncidentNotice.from_dict(detail)
    if detail_type == DECIDED_DETAIL_TYPE:
        return DecidedTransaction.from_dict(detail)
    raise InvalidInputError(
        f"event of type {detail_type!r}, expected one of "
        f"{', '.join([*DETAIL_TYPES.values(), DECIDED_DETAIL_TYPE])}",
        reason="bad_event",
    )


def channels_of(event: Announced | AnomalyEvent, alerts: AlertPlan) -> list[str]:
    """Return the channels whose routes take this severity, each once, in the plan's order."""
    return list(
        dict.fromkeys(route.channel for route in alerts.routes if event.severity >= route.severity_at_least)
    )


def alert_of(event: Announced, channels: Sequence[str], timezone: str = "UTC") -> Alert:
    """Write the alert. A receiver removes repetitions by `alert_id`, or by workload and `id`.

    Parameters
    ----------
    timezone
        IANA name of the source's zone: the text tells times in it, the JSON in UTC.
    """
    more: dict[str, object] = {"routes": list(channels)}
    if isinstance(event, DecidedTransaction):
        subject, text = decided_subject(event), decided_text(event, timezone)
    else:
        subject, text = notice_subject(event), notice_text(event, timezone)
        more |= {"alert_id": event.alert_id, "workload": event.workload, "severity": event.severity}
    structured = json.dumps({**event.to_dict(), **more}, sort_keys=True)
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
    """What one channel was told of one series."""

    entries: tuple[tuple[int, str], ...] = ()
    """Event time, in seconds since 1970, and alert id; ascending."""

    def to_json(self) -> str:
        """Return the claims as JSON."""
        return json.dumps(self.entries, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Claims:
        """Read what `to_json` returned."""
        return cls(tuple((int(at), str(alert_id)) for at, alert_id in json.loads(text)))

    def holds(self, alert_id: str) -> bool:
        """Tell whether the alert has a claim."""
        return any(claimed_by == alert_id for _, claimed_by in self.entries)

    def with_claim(self, alert_id: str, at: int, throttle_seconds: int) -> Claims:
        """Return the claims with the alert's, unless it has one or another one is too near."""
        if self.holds(alert_id) or any(abs(at - other) < throttle_seconds for other, _ in self.entries):
            return self
        return Claims(tuple(sorted((*self.entries, (at, alert_id)))[-MAX_CLAIMS:]))
