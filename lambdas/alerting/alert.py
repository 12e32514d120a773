"""What comes over the alert bus, what channels are sent of it, and how often: at most one incident of a
series opens for a channel in `throttle_seconds` of event time. One that gets worse is told whatever was told
before, and its end is told to whom it was told of.

An opening that is let through claims the time around it, under its own id. The rule looks at event times
only, and to both sides, so:

- two of a series and channel are never less than `throttle_seconds` apart, whatever the order;
- the same one always gets the same answer, however often it comes;
- which of several close together is let through does depend on the order: the first to come.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from lambdas.alerting.digest import DIGEST_DETAIL_TYPE, Digest, DigestDue
from lambdas.alerting.formats import Announced, Tellable, long_text, short_text, subject
from lambdas.alerting.links import AnswerLinks
from lambdas.alerting.sample import ROUTE_TEST_DETAIL_TYPE, RouteTest, Sample
from watchkeeper.anomalies.quality import QUALITY_DETAIL_TYPE, QualityEvent
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.fraud.decided import DECIDED_DETAIL_TYPE, DecidedTransaction
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import DETAIL_TYPES, IncidentNotice
from watchkeeper.incidents.unanswered import UNANSWERED_DETAIL_TYPE, Unanswered
from watchkeeper.telemetry.series import parse_series_key

Asked = Announced | RouteTest | Unanswered | DigestDue
"""What `publish_alert` is asked to tell."""
_KINDS: dict[str, type[Document]] = {
    **dict.fromkeys(DETAIL_TYPES.values(), IncidentNotice),
    DECIDED_DETAIL_TYPE: DecidedTransaction,
    QUALITY_DETAIL_TYPE: QualityEvent,
    ROUTE_TEST_DETAIL_TYPE: RouteTest,
    UNANSWERED_DETAIL_TYPE: Unanswered,
    DIGEST_DETAIL_TYPE: DigestDue,
}

STRUCTURED_PROTOCOLS = ("http", "https", "lambda", "sqs")
MOST_VALUES = 20
MOST_PLACES = 7
"""A queue with raw delivery takes no message of more than ten attributes: three are there always."""
_NO_ATTRIBUTE = re.compile(r"[^A-Za-z0-9_-]")
"""What an SNS attribute's name may not have."""


@dataclass(frozen=True)
class Alert:
    """One publication on the alert topic."""

    subject: str
    messages: dict[str, str]
    """By protocol: readable text as `default` and `email`, short text as `sms`, JSON for programs."""
    workload: str
    severity: float
    channels: tuple[str, ...]
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a subscription may filter on beside these: `measure`, and `dimension_NAME` of each dimension, with
    the values of the series that the alert names: `MOST_PLACES` names, `MOST_VALUES` of each, at most."""


def announced(message: str) -> tuple[Asked, datetime]:
    """Read EventBridge's event of an incident or of a transaction that was decided, or what asks for a test,
    for a look at an answer, or for a digest.

    Returns
    -------
    event, at
        What the event is of, and when the bus took it; of a schedule's, when it was due.

    Raises
    ------
    InvalidInputError
        If the message is something else.
    """
    try:
        envelope = json.loads(message)
        detail_type, detail = envelope["detail-type"], envelope["detail"]
        at = parse_instant(envelope["time"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"not an event of the alert bus: {error!r} in {message[:200]!r}", reason="bad_event"
        ) from error
    if detail_type not in _KINDS:
        raise InvalidInputError(
            f"event of type {detail_type!r}, expected one of {', '.join(_KINDS)}", reason="bad_event"
        )
    return cast("Asked", _KINDS[detail_type].from_dict(detail)), at


def alert_of(
    event: Tellable, channels: Sequence[str], timezone: str = "UTC", links: AnswerLinks | None = None
) -> Alert:
    """Write the alert.

    Parameters
    ----------
    timezone
        IANA name of the source's zone: texts tell times in it, the JSON in UTC.
    links
        By which it is answered.
    """
    text = long_text(event, timezone, links)
    return Alert(
        subject=subject(event),
        messages={
            "default": text,
            "email": text,
            "sms": short_text(event, timezone),
            **dict.fromkeys(STRUCTURED_PROTOCOLS, structured(event, channels, links)),
        },
        workload=event.workload,
        severity=event.severity,
        channels=tuple(channels),
        places=_places(event.incident) if isinstance(event, IncidentNotice) else {},
    )


def _places(incident: Incident) -> dict[str, tuple[str, ...]]:
    """Return the touched series' measures and dimension values, each once, in the series' order."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for part in incident.touched:
        key = parse_series_key(part.series)
        found["measure"][key.measure] = None
        for name, value in key.dimensions:
            found[f"dimension_{_NO_ATTRIBUTE.sub('_', name)}"][value] = None
    return {name: tuple(found[name])[:MOST_VALUES] for name in list(found)[:MOST_PLACES]}


_OF_ALERT = ("routes", "alert_id", "workload", "severity")
_LINKS = "answer_links"


def structured(event: Tellable, channels: Sequence[str], links: AnswerLinks | None = None) -> str:
    """Return an alert for programs: the event, and beside it `routes`, `alert_id`, `workload`, `severity`.

    A receiver removes repetitions by `alert_id`. A sample is as an alert, and has `test`, its id; a digest
    is under `digest`, what is unusual in how telemetry comes under `data_quality`, and links by which it is
    answered under `answer_links`.
    """
    more: dict[str, Any] = {"routes": list(channels)} | {name: getattr(event, name) for name in _OF_ALERT[1:]}
    match event:
        case Sample():
            more |= {**event.of.to_dict(), "test": event.test_id, "severity": event.of.severity}
        case Digest():
            more["digest"] = event.to_dict()
        case QualityEvent():
            more["data_quality"] = event.to_dict()
        case _:
            more = {**event.to_dict(), **more}
    if links is not None:
        more[_LINKS] = links.to_dict()
    return json.dumps(more, sort_keys=True)


@dataclass(frozen=True)
class Delivered:
    """What a queue got of an alert."""

    event: Tellable
    channels: tuple[str, ...]
    links: AnswerLinks | None = None


def delivered(text: str) -> Delivered:
    """Read what `structured` returned.

    Raises
    ------
    InvalidInputError
        If it is something else.
    """
    try:
        document: dict[str, Any] = json.loads(text)
        channels = tuple(map(str, document["routes"]))
        if "digest" in document:
            return Delivered(Digest.from_dict(document["digest"]), channels)
        if "data_quality" in document:
            return Delivered(QualityEvent.from_dict(document["data_quality"]), channels)
        test_id, links = document.pop("test", None), document.pop(_LINKS, None)
        kind: type[IncidentNotice | DecidedTransaction] = (
            IncidentNotice if "incident" in document else DecidedTransaction
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"not an alert: {error!r} in {text[:200]!r}", reason="bad_event") from error
    own = {field.name for field in dataclasses.fields(kind)}
    event = kind.from_dict(
        {name: value for name, value in document.items() if name in own or name not in _OF_ALERT}
    )
    return Delivered(
        event if test_id is None else Sample(str(test_id), event),
        channels,
        None if links is None else AnswerLinks.from_dict(links),
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
