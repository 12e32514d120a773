"""Anomaly events: what is stored of an anomaly, what goes over the alert bus, and what a person reads."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from watchkeeper.errors import InvalidInputError
from watchkeeper.layout import short_hash
from watchkeeper.series import parse_series_key
from watchkeeper.timestamps import format_instant, parse_instant

EVENT_VERSION = 1
EVENT_SOURCE = "watchkeeper"
EVENT_DETAIL_TYPE = "Anomaly Detected"

SUBJECT_LENGTH = 100
"""The longest subject that SNS takes; it must be ASCII without control characters."""


@dataclass(frozen=True)
class AnomalyEvent:
    """One interval of one series whose anomaly_score is above the threshold."""

    workload: str
    series: str
    interval_start: str
    """ISO 8601, UTC."""
    interval_seconds: int
    observed: float
    expected: float | None
    """None where nothing is known of the intervals before."""
    lower: float | None
    """Lower end of the expected band."""
    upper: float | None
    score: float
    threshold: float
    severity: float
    """0 to 100; 70 is the threshold."""
    run_id: str
    """The run whose model gave the score."""
    execution_arn: str
    """The execution that trained the model."""
    model_package_arn: str
    contributions: dict[str, float] = dataclasses.field(default_factory=dict)
    """Share of the score by feature, where the detector gives it."""
    version: int = EVENT_VERSION

    @property
    def anomaly_id(self) -> str:
        """The same for every time the interval is scored: made of workload, series and interval."""
        return anomaly_id(self.workload, self.series, self.interval_start)

    @property
    def sort_key(self) -> str:
        """Sort key in the anomalies table."""
        return f"{self.interval_start}#{self.anomaly_id}"

    def to_json(self) -> str:
        """Return the event as one compact JSON document, its id included as `anomaly_id`."""
        document = {**dataclasses.asdict(self), "anomaly_id": self.anomaly_id}
        return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> AnomalyEvent:
        """Read an event.

        Raises
        ------
        InvalidInputError
            If the text is not an event of this version (reason `bad_event`).
        """
        try:
            document = json.loads(text)
            document.pop("anomaly_id", None)
            event = cls(**document)
        except (ValueError, AttributeError, TypeError) as error:
            raise InvalidInputError(f"not an anomaly event: {error}", reason="bad_event") from error
        if event.version != EVENT_VERSION:
            raise InvalidInputError(
                f"anomaly event version {event.version!r}, this release reads {EVENT_VERSION}",
                reason="bad_event",
            )
        return event


def anomaly_id(workload: str, series: str, interval_start: str) -> str:
    """Return the identifier of an anomaly: 16 hexadecimal characters."""
    return short_hash(f"{workload}|{series}|{interval_start}")


def alert_subject(event: AnomalyEvent) -> str:
    """Return one line of at most 100 ASCII characters."""
    text = f"[{event.workload}] anomaly in {event.series}, severity {event.severity:.0f}"
    printable = "".join(character if " " <= character <= "~" else "?" for character in text)
    return printable if len(printable) <= SUBJECT_LENGTH else printable[: SUBJECT_LENGTH - 3] + "..."


def alert_text(event: AnomalyEvent) -> str:
    """Return the subject and what a person needs to judge the anomaly, line by line."""
    key = parse_series_key(event.series)
    end = parse_instant(event.interval_start).timestamp() + event.interval_seconds
    lines = [
        alert_subject(event),
        "",
        f"Measure:   {key.measure}",
        *(f"{name}: {value}" for name, value in key.dimensions),
        f"Interval:  {event.interval_start} to {format_instant(int(end))}",
        f"Observed:  {event.observed:.6g}",
    ]
    if event.expected is not None and event.lower is not None and event.upper is not None:
        lines.append(f"Expected:  {event.expected:.6g} (usual: {event.lower:.6g} to {event.upper:.6g})")
    lines += [
        f"Score:     {event.score:.6g}, threshold {event.threshold:.6g}",
        f"Severity:  {event.severity:.0f} of 100 (70 is the threshold)",
    ]
    if event.contributions:
        largest = sorted(event.contributions.items(), key=lambda item: -item[1])[:3]
        lines.append("Mostly by: " + ", ".join(f"{name} {share:.2g}" for name, share in largest))
    lines += ["", f"Model:     {event.model_package_arn or event.run_id}", f"Anomaly:   {event.anomaly_id}"]
    return "\n".join(lines)
