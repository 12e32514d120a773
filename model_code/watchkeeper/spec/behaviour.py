"""Workloads that watch what devices of the fleet do: an anomaly workload whose source and measures follow.

https://docs.aws.amazon.com/iot-device-defender/latest/devguide/detect-cloud-side-metrics.html has the metrics
that AWS had, before it closed Detect to new customers.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from watchkeeper.core.behaviour import COUNTED_ONCE, DEVICE, RECORD_ID, TIMESTAMP, Behaviour
from watchkeeper.core.layout import DEVICE_TOPICS
from watchkeeper.core.severity import MAX_SEVERITY, THRESHOLD_SEVERITY
from watchkeeper.spec.anomaly import AnomalyWorkload
from watchkeeper.spec.detection import WatchkeeperDetector
from watchkeeper.spec.fields import Name
from watchkeeper.spec.rules import Allowed, IgnoreBelow
from watchkeeper.spec.section import Section, refuse_repeats
from watchkeeper.spec.telemetry import Measure, Source, Timestamp


class WatchedBehaviour(Section):
    """One thing that devices do."""

    name: Behaviour
    """What is counted or summed in each interval, for each device."""
    direction: Literal["above", "below", "both"] = "above"
    """On which side of the expected value an anomaly may be."""
    ignore_below: IgnoreBelow = IgnoreBelow()
    """Deviations from the expected value that are too small to be an anomaly."""
    allowed: Allowed | None = None
    """What a value may be at all: outside it is an anomaly, from the first interval on."""

    def measure(self) -> Measure:
        """Return the measure that it is."""
        return Measure(
            field=self.name,
            name=self.name,
            aggregate="distinct" if self.name in COUNTED_ONCE else "sum",
            direction=self.direction,
            ignore_below=self.ignore_below,
            allowed=self.allowed,
        )


class Quarantine(Section):
    """Which anomalies put their device into quarantine."""

    severity_at_least: float = Field(default=90.0, ge=THRESHOLD_SEVERITY, le=MAX_SEVERITY)
    """Least severity of such an anomaly."""
    measures: list[Name] = Field(default_factory=list, max_length=50)
    """Of these behaviours and metrics only; without it, of each."""


class Mitigation(Section):
    """What is done to a device that behaves as none should."""

    quarantine: Quarantine
    """Its connection ends, and it may do nothing until `watchkeeper devices restore`."""


_BEHAVIOURS: TypeAdapter[list[WatchedBehaviour]] = TypeAdapter(list[WatchedBehaviour])
_METRICS: TypeAdapter[list[Measure]] = TypeAdapter(list[Measure])
_DERIVED = ("source", "measures", "dimensions")


class DeviceBehaviourWorkload(AnomalyWorkload):
    """A workload that watches what each device of the fleet does."""

    kind: Literal["device_behaviour"]  # type: ignore[assignment]  # tells the two kinds apart
    """What the workload does."""
    source: SkipJsonSchema[Source] = Source(topic=f"{DEVICE_TOPICS}/#")
    """The devices' topics; follows."""
    measures: SkipJsonSchema[list[Measure]] = Field(default_factory=list, max_length=50)
    """Behaviours and metrics; follow."""
    dimensions: SkipJsonSchema[list[str]] = Field(default_factory=lambda: [DEVICE])
    """The device; follows."""
    detector: WatchkeeperDetector = WatchkeeperDetector(algorithm="watchkeeper")
    """What scores: the streaming detector, which learns each device."""
    behaviours: list[WatchedBehaviour] = Field(default_factory=list)
    """What devices do that is watched."""
    metrics: list[Measure] = Field(default_factory=list, max_length=40, validate_default=True)
    """Numbers that devices publish of themselves, to devices/THING/metrics."""
    mitigation: Mitigation | None = Field(default=None, validate_default=True)
    """What is done to a device whose behaviour is an anomaly; without it, people are told only."""

    @model_validator(mode="before")
    @classmethod
    def _follows(cls, document: Any) -> Any:
        """Add what follows from the behaviours; mistakes in these are reported where they are."""
        if not isinstance(document, dict):
            return document
        if written := [key for key in _DERIVED if key in document]:
            raise ValueError(
                f"{', '.join(written)} follows from behaviours and metrics in this kind: leave it out"
            )
        try:
            watched = _BEHAVIOURS.validate_python(document.get("behaviours", []))
            measures = [each.measure() for each in watched]
            measures += _METRICS.validate_python(document.get("metrics", []))
            measures = list({measure.name: measure for measure in reversed(measures)}.values())[::-1]
        except ValidationError:
            measures = []
        if not measures:  # the mistake is told of the keys that are written
            measures = [Measure(field="messages_sent", name="messages_sent")]
        source = Source(
            topic=f"{DEVICE_TOPICS}/#",
            timestamp=Timestamp(field=TIMESTAMP, format="epoch_milliseconds"),
            record_id=RECORD_ID,
        )
        return {**document, "source": source, "measures": measures, "dimensions": [DEVICE]}

    @field_validator("behaviours")
    @classmethod
    def _are_named_once(cls, behaviours: list[WatchedBehaviour]) -> list[WatchedBehaviour]:
        refuse_repeats([each.name for each in behaviours], "behaviour")
        return behaviours

    @field_validator("metrics")
    @classmethod
    def _watch_something(cls, metrics: list[Measure], info: ValidationInfo) -> list[Measure]:
        if "behaviours" in info.data and not info.data["behaviours"] and not metrics:
            raise ValueError("neither behaviours nor metrics are watched: name at least one")
        names = [each.name for each in [*info.data.get("behaviours", []), *metrics]]
        refuse_repeats(names, "name")
        return metrics

    @field_validator("mitigation")
    @classmethod
    def _is_of_what_there_is(cls, mitigation: Mitigation | None, info: ValidationInfo) -> Mitigation | None:
        if mitigation is None or not {"behaviours", "metrics"} <= info.data.keys():
            return mitigation
        known = [each.name for each in [*info.data["behaviours"], *info.data["metrics"]]]
        for name in mitigation.quarantine.measures:
            if name not in known:
                raise ValueError(f"quarantine.measures names {name!r}; known: {', '.join(known)}")
        return mitigation
