"""How telemetry came: what was counted of each interval, and what of it is unusual.

Lines of both are in the objects of scores, before the score lines: each says what one shelf has to add, so
that the whole of an interval is the sum, in whatever order it comes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from watchkeeper.anomalies.event import one_line
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.severity import severity_text
from watchkeeper.core.timestamps import epoch_seconds, in_zone, parse_instant
from watchkeeper.judgement.quality import FALLS, SignalName

COUNTED, FOUND = "quality", "quality_event"
"""The one key of a line: of an interval's counts, or of an event."""
_BEGINS = f'{{"{COUNTED}'.encode()
QUALITY_DETAIL_TYPE = "Data Quality"


@dataclass(frozen=True)
class IntervalCounts(Document, name="counts of an interval", sort_keys=False):
    """What came of an interval, or a part of that; parts add up."""

    interval_start: str
    """ISO 8601, UTC."""
    objects: int = 0
    """Objects of telemetry, each counted where its first record is."""
    accepted: int = 0
    """Records that count."""
    late: int = 0
    """Records whose interval had closed; they are in quarantine."""
    duplicated: int = 0
    """Records that had come before."""
    refused: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Lines that are no records, by reason; of the interval of the records that came with them."""
    off_clock: int = 0
    """Records that came earlier or later after their time than is usual."""
    new_series: int = 0
    devices: int = 0
    """Values of all dimensions together that have a record."""
    values: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Series that have a value, by measure."""
    missing: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Series that have none although their device has a record, by measure."""
    scored: int = 0
    unscored: int = 0
    anomalies: int = 0
    lag_of: int = 0
    """Records that say when they arrived."""
    lag_total: int = 0
    """Milliseconds from their time to their arrival, together."""
    lag_most: int = 0
    """Of the one that took longest."""

    @property
    def start(self) -> int:
        """Start of the interval in seconds since 1970."""
        return epoch_seconds(parse_instant(self.interval_start))

    @property
    def rows(self) -> int:
        """Lines that were read."""
        return self.accepted + self.late + self.duplicated + sum(self.refused.values())

    @property
    def series(self) -> int:
        """Series that have a value."""
        return sum(self.values.values())

    @property
    def completeness(self) -> dict[str, float]:
        """Share of the values that are there of those that could be, by measure; in [0, 1]."""
        names = sorted({*self.values, *self.missing})
        counts = [(name, self.values.get(name, 0), self.missing.get(name, 0)) for name in names]
        return {name: there / (there + missing) for name, there, missing in counts if there + missing}

    @property
    def lag_seconds(self) -> float | None:
        """Mean time from a record's event time to its arrival; None where no record says it."""
        return self.lag_total / self.lag_of / 1000 if self.lag_of else None

    def __add__(self, other: IntervalCounts) -> IntervalCounts:
        """Return both parts of the same interval as one."""
        names = [field.name for field in dataclasses.fields(self)][1:]
        added: dict[str, Any] = {name: _together(getattr(self, name), getattr(other, name)) for name in names}
        added["lag_most"] = max((one.lag_most for one in (self, other) if one.lag_of), default=0)
        return IntervalCounts(self.interval_start, **added)

    def to_line(self) -> str:
        """Return the line of a scores object; what is not there is 0."""
        said = {name: value for name, value in self.to_dict().items() if value}
        return json.dumps({COUNTED: said}, separators=(",", ":"))


@dataclass(frozen=True)
class QualityEvent(Document, name="data quality event", refused_as="bad_event"):
    """A share of how telemetry comes that has become unusual, or is usual again."""

    workload: str
    signal: SignalName
    measure: str | None
    """Of `missing`, the measure; else None."""
    began: bool
    """Whether it became unusual; else it is over."""
    interval_start: str
    """Interval in whose time it was found; ISO 8601, UTC."""
    interval_seconds: int
    since: str
    """When it became unusual."""
    share: float
    """In [0, 1]: of `missing` and `silent`, of what is there; of the others, of what is not as usual."""
    of: int
    """How many values, devices or rows the share is of: of one shelf, which stands for the others."""
    usual: float
    """The most extreme share that is usual."""
    severity: float
    """0 to 100, on the scale of `watchkeeper.core.severity`."""

    @property
    def alert_id(self) -> str:
        """The same for every delivery, and for what several shelves find in the same interval."""
        return short_hash(f"{self.workload}|{self.series}|{self.interval_start}")

    @property
    def what(self) -> str:
        """The signal, with its measure."""
        return self.signal if self.measure is None else f"{self.signal}|{self.measure}"

    @property
    def series(self) -> str:
        """What its alerts are throttled by: in place of a series, the signal."""
        return f"quality|{self.what}" if self.began else f"quality|{self.what}|over"

    @property
    def at(self) -> int:
        """Start of the interval in seconds since 1970."""
        return epoch_seconds(parse_instant(self.interval_start))

    def to_line(self) -> str:
        """Return the line of a scores object."""
        return json.dumps({FOUND: self.to_dict()}, separators=(",", ":"))


_SAID: dict[SignalName, str] = {
    "late": "{share} of {of} rows came after their interval had closed",
    "duplicated": "{share} of {of} rows had come already",
    "refused": "{share} of {of} lines are no records",
    "clock": "{share} of {of} rows came unusually early or late after their time: a clock is wrong, or the "
    "delivery was held up",
    "missing": "{measure} has {share} of {of} possible values",
    "silent": "{share} of {of} devices sent something",
}


def quality_sentence(event: QualityEvent) -> str:
    """Return what an event says, in words."""
    said = _SAID[event.signal].format(share=f"{event.share:.0%}", of=f"{event.of:,}", measure=event.measure)
    end = "least" if event.signal in FALLS else "most"
    return f"{said}; usual is {event.usual:.0%} at {end}"


def quality_subject(event: QualityEvent) -> str:
    """Return one line of at most 100 ASCII characters."""
    what = f"data quality{'' if event.began else ' is usual again'}: {event.what.replace('|', ' ')}"
    return one_line(f"[{event.workload}] {what}", f", severity {severity_text(event.severity)}")


def quality_text(event: QualityEvent, timezone: str = "UTC") -> str:
    """Return what a person needs to judge it, line by line.

    Parameters
    ----------
    timezone
        IANA name of the source's zone, in which times are told.
    """
    since = in_zone(parse_instant(event.since), timezone)
    lines = [
        quality_subject(event),
        "",
        quality_sentence(event),
        f"Severity:  {severity_text(event.severity, of='of 100')}",
        f"Interval:  {in_zone(event.at, timezone, until=event.at + event.interval_seconds)}",
        f"Since:     {since}",
        "",
        f"Log:       watchkeeper log {event.workload}",
    ]
    return "\n".join(lines)


def of_scores(lines: Iterable[bytes]) -> list[bytes]:
    """Return the score lines among the lines of a scores object."""
    return [line for line in lines if not line.startswith(_BEGINS)]


def of_quality(lines: Iterable[bytes]) -> list[bytes]:
    """Return the others."""
    return [line for line in lines if line.startswith(_BEGINS)]


def counts_in(lines: Iterable[bytes]) -> list[IntervalCounts]:
    """Return the counts among the lines of a scores object.

    Raises
    ------
    ContractViolationError
        If a line is not one of this release.
    """
    return [IntervalCounts.from_dict(found) for found in _under(COUNTED, lines)]


def events_in(lines: Iterable[bytes]) -> list[QualityEvent]:
    """Return the events of data quality among the lines of a scores object."""
    return [QualityEvent.from_dict(found) for found in _under(FOUND, lines)]


def summed(counts: Iterable[IntervalCounts]) -> list[IntervalCounts]:
    """Return one of each interval, in the order of time."""
    found: dict[str, IntervalCounts] = {}
    for one in counts:
        known = found.get(one.interval_start)
        found[one.interval_start] = one if known is None else known + one
    return [found[start] for start in sorted(found)]


def once(events: Iterable[QualityEvent]) -> list[QualityEvent]:
    """Return events in the order of time, each once."""
    found = {event.alert_id: event for event in events}
    return sorted(found.values(), key=lambda event: (event.interval_start, event.what, event.began))


def _under(key: str, lines: Iterable[bytes]) -> list[object]:
    begins = f'{{"{key}":'.encode()
    try:
        return [json.loads(line)[key] for line in lines if line.startswith(begins)]
    except (ValueError, KeyError) as error:
        raise ContractViolationError(f"not a line of data quality: {error!r}") from error


def _together(mine: object, yours: object) -> object:
    if isinstance(mine, Mapping) and isinstance(yours, Mapping):
        return {name: mine.get(name, 0) + yours.get(name, 0) for name in sorted({*mine, *yours})}
    if isinstance(mine, int) and isinstance(yours, int):
        return mine + yours
    raise TypeError(f"{mine!r} and {yours!r} do not add up")
