"""Anomaly events: what is stored of an anomaly, what goes over the alert bus, and what a person reads."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from watchkeeper.core.documents import Document, plain
from watchkeeper.core.layout import short_hash
from watchkeeper.core.severity import severity_text
from watchkeeper.core.timestamps import epoch_seconds, in_zone, parse_instant
from watchkeeper.features.contributions import (
    NOT_EXPLAINED,
    Contribution,
    Explanation,
    inside_because,
    mostly_by,
    unusual_in,
)
from watchkeeper.telemetry.series import parse_series_key

EVENT_VERSION = 2
"""Version 1 had no contributions; it is read still."""
EVENT_SOURCE = "watchkeeper"
EVENT_DETAIL_TYPE = "Anomaly Detected"

ROUGH_AGREEMENT = 0.7
"""A surrogate that ranks rows less like the model than this gives a rough explanation only."""
SUBJECT_LENGTH = 100
"""The longest subject that SNS takes; it must be ASCII without control characters."""


@dataclass(frozen=True)
class AnomalyEvent(Document, name="anomaly event", refused_as="bad_event"):
    """One interval of one series that is an anomaly, by its anomaly_score or by a rule of its measure."""

    workload: str
    series: str
    interval_start: str
    """ISO 8601, UTC."""
    interval_seconds: int
    observed: float | None
    """None of a series that has said nothing for too long; the explanation's reason says since when."""
    expected: float | None
    """None where nothing is known of the intervals before."""
    lower: float | None
    """Lower end of the expected band."""
    upper: float | None
    score: float
    threshold: float
    severity: float
    """0 to 100; the limit is `watchkeeper.core.severity.THRESHOLD_SEVERITY`."""
    run_id: str
    """The run whose model gave the score; empty where none serves yet, and a rule decided."""
    execution_arn: str
    """The execution that trained the model."""
    model_package_arn: str
    contributions: tuple[Contribution, ...] = ()
    """What the score is made of, the largest part first; the parts add up to it."""
    explanation: Explanation = NOT_EXPLAINED
    """Where the contributions come from, or why there are none."""
    also_anomalous: dict[str, float] = dataclasses.field(default_factory=dict)
    """Severity by measure: the other measures of the same dimensions that were found anomalous in the same
    interval, as far as they were scored with this one."""
    confidence: float | None = None
    """Of a series that the model has not seen in training, in [0, 1); see
    `watchkeeper.judgement.acquaintance`."""
    severity_threshold: float | None = None
    """The severity above which it is an anomaly, where people's feedback has moved it."""
    version: int = EVENT_VERSION

    @property
    def anomaly_id(self) -> str:
        """The same for every time the interval is scored: made of workload, series and interval."""
        return anomaly_id(self.workload, self.series, self.interval_start)

    @property
    def at(self) -> int:
        """When it was: epoch seconds."""
        return epoch_seconds(parse_instant(self.interval_start))

    @property
    def sort_key(self) -> str:
        """Sort key in the anomalies table."""
        return f"{self.interval_start}#{self.anomaly_id}"

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON-ready objects, its id included as `anomaly_id`.

        `severity_threshold` is there where it says something: older software reads the others.
        """
        document = {**super().to_dict(), "anomaly_id": self.anomaly_id}
        if self.severity_threshold is None:
            del document["severity_threshold"]
        return dict(sorted(document.items()))

    @classmethod
    def _upgraded(cls, document: dict[str, Any]) -> dict[str, Any]:
        document = {name: value for name, value in document.items() if name != "anomaly_id"}
        if document.get("version") != 1:
            return document
        reason = "the event was written by a release that did not explain"
        explanation = plain(Explanation("none", reason=reason))
        return {**document, "version": 2, "contributions": [], "explanation": explanation}


def anomaly_id(workload: str, series: str, interval_start: str) -> str:
    """Return the identifier of an anomaly: 16 hexadecimal characters."""
    return short_hash(f"{workload}|{series}|{interval_start}")


def alert_subject(event: AnomalyEvent) -> str:
    """Return one line of at most 100 ASCII characters."""
    end = f", severity {severity_text(event.severity, event.severity_threshold)}"
    return one_line(f"[{event.workload}] anomaly in {event.series}", end)


def one_line(text: str, end: str) -> str:
    """Return a subject of at most `SUBJECT_LENGTH` ASCII characters; the end stays."""
    printable = "".join(character if " " <= character <= "~" else "?" for character in text)
    room = SUBJECT_LENGTH - len(end)
    return (printable if len(printable) <= room else printable[: room - 3] + "...") + end


def alert_text(event: AnomalyEvent, timezone: str = "UTC") -> str:
    """Return the subject and what a person needs to judge the anomaly, line by line.

    Parameters
    ----------
    timezone
        IANA name of the source's zone, in which times are told.
    """
    return "\n".join([alert_subject(event), "", *anomaly_lines(event, timezone)])


def anomaly_lines(event: AnomalyEvent, timezone: str = "UTC") -> list[str]:
    """Return what a person needs to judge an anomaly, line by line; see `alert_text`."""
    key = parse_series_key(event.series)
    lines = [
        f"Measure:   {key.measure}",
        *(f"{name}: {value}" for name, value in key.dimensions),
        f"Interval:  {in_zone(event.at, timezone, until=event.at + event.interval_seconds)}",
        f"Observed:  {event.explanation.reason if event.observed is None else f'{event.observed:.6g}'}",
    ]
    if event.expected is not None and event.lower is not None and event.upper is not None:
        lines.append(f"Expected:  {event.expected:.6g} (usual: {event.lower:.6g} to {event.upper:.6g})")
        if event.observed is not None and event.lower <= event.observed <= event.upper:
            lines.append(f"Inside its usual range; {_inside_because(event)}")
    lines += [
        f"Score:     {event.score:.6g}, threshold {event.threshold:.6g}",
        f"Severity:  {severity_text(event.severity, event.severity_threshold, of='of 100')}",
    ]
    if event.confidence is not None:
        lines.append(
            f"Confidence: {event.confidence:.0%}, the series is new: the model has not learned it yet"
        )
    lines += _reasons(event)
    model = event.model_package_arn or event.run_id or "none serves yet"
    lines += ["", f"Model:     {model}", f"Anomaly:   {event.anomaly_id}"]
    return lines


def _inside_because(event: AnomalyEvent) -> str:
    weights: dict[str, float] = {}
    for part in event.contributions:
        weights[part.feature] = weights.get(part.feature, 0.0) + part.score
    return inside_because(unusual_in(weights))


def _reasons(event: AnomalyEvent) -> list[str]:
    lines = []
    if event.contributions:
        agreement = event.explanation.rank_agreement
        rough = agreement is not None and agreement < ROUGH_AGREEMENT
        parts = mostly_by(event.contributions, event.interval_seconds)
        lines.append(f"{'Roughly:' if rough else 'Because:'}   {parts}")
        if event.explanation.reason is not None:
            lines.append(f"Rule:      {event.explanation.reason}")
    else:
        lines.append(f"Because:   not known ({event.explanation.reason})")
    if event.also_anomalous:
        others = sorted(event.also_anomalous.items(), key=lambda item: (-item[1], item[0]))
        lines.append("Also:      " + ", ".join(f"{name} (severity {level:.0f})" for name, level in others))
    return lines
