"""Workloads that watch telemetry. Unknown keys are refused; what is not written has the default given here.

Checks between keys are validators of the later key, so that they are reported with every other mistake.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from watchkeeper.core.plan import (
    DetectorPlan,
    FeaturePlan,
    GatePlan,
    SilencePlan,
    SplitPlan,
    ThresholdPlan,
    TimestampPlan,
    WorkloadPlan,
)
from watchkeeper.spec.alerting import Alerts, Silence
from watchkeeper.spec.calendars import Calendar
from watchkeeper.spec.delivery import LONGEST, SHARED_FROM, Delivery
from watchkeeper.spec.deployment import Endpoint, Training
from watchkeeper.spec.detection import (
    AlertBudgetThreshold,
    Detector,
    Features,
    Gate,
    History,
    MeanSigmaThreshold,
    RarityThreshold,
    RcfDetector,
    RegisteredDetector,
    Threshold,
    WatchkeeperDetector,
)
from watchkeeper.spec.feeds import check_scheduled_interval
from watchkeeper.spec.fields import Duration, RecordField, Tenant, WorkloadName
from watchkeeper.spec.incidents import Incidents
from watchkeeper.spec.quality import Quality
from watchkeeper.spec.scale import FunctionScale, Scale, SparkScale
from watchkeeper.spec.section import Section, refuse_repeats
from watchkeeper.spec.selecting import Mute, Selection
from watchkeeper.spec.telemetry import Measure, Source

MAX_OPEN_INTERVALS = 1000
"""Lateness keeps intervals open, and the series' state holds all of them."""


SCHEDULED_WITHIN_SECONDS = 120
"""EventBridge Scheduler calls within a minute; so long it and fetching take, usually."""
SCORED_WITHIN_SECONDS = 60
"""How long an object of telemetry usually waits at most; beyond it, a tick may close intervals before it."""


class AnomalyWorkload(Section):
    """A workload that watches measures for anomalies."""

    name: WorkloadName
    """The same as the file's name without .yaml."""
    kind: Literal["anomaly"]
    """What the workload does."""
    description: str = ""
    """For people."""
    sample: bool = False
    """Whether it only shows what there is: a deployment into an account leaves it out unless it is named."""
    source: Source
    """Where telemetry comes from."""
    interval: Duration
    """Readings are aggregated over intervals of this length, aligned to the epoch in UTC."""
    lateness: Duration = timedelta(0)
    """How long after an interval's end, in event time, its late records are still taken."""
    freshness: Duration = SHARED_FROM
    """How long a record may wait for scoring to begin; below 90s the delivery stream is its own."""
    measures: list[Measure] = Field(min_length=1, max_length=50)
    """The numbers that are watched, each one a series for each combination of the dimensions."""
    dimensions: list[RecordField] = Field(default_factory=list, max_length=10, validate_default=True)
    """Fields that tell series apart, such as a machine's name."""
    exclude: list[Selection] = Field(default_factory=list, max_length=100)
    """Series that are not watched: neither trained on nor scored."""
    mute: list[Mute] = Field(default_factory=list, max_length=100)
    """Series that raise no alert until an end; they are scored, and their anomalies are kept."""
    calendars: list[Calendar] = Field(default_factory=list, max_length=20)
    """Times at which what is unusual is no anomaly: maintenance, holidays."""
    silence: Silence | None = None
    """When saying nothing is an anomaly; without it, never."""
    quality: Quality | Literal[False] = Quality()
    """When how telemetry comes is not as usual, and so told; false: never. It is counted all the same."""
    max_gap_intervals: int = Field(default=3, ge=0, le=100)
    """Missing intervals that are bridged; a longer gap starts the context anew."""
    history: History = History()
    """What a training run learns from."""
    features: Features = Features()
    """What is in the feature vector."""
    detector: Detector = RcfDetector()
    """What scores the feature vectors."""
    threshold: Threshold = Field(
        default_factory=lambda validated: (
            RarityThreshold(rule="rarity") if _streams(validated) else MeanSigmaThreshold()
        )
    )
    """How high a score is an anomaly. Without it, the detector watchkeeper has rarity, others mean_sigma."""
    gate: Gate = Field(default=Gate(), validate_default=True)
    """What a model must meet before it may serve."""
    training: Training = Training()
    """When and on what the model is trained."""
    endpoint: Endpoint | None = Field(
        default_factory=lambda validated: None if _streams(validated) else Endpoint(), validate_default=True
    )
    """What serves the model. The detector watchkeeper scores without one; with one it answers requests, too,
    from a snapshot of what it knew when it was trained."""
    incidents: Incidents = Incidents()
    """Which anomalies are one incident, and when it is over."""
    alerts: Alerts = Alerts()
    """Where alerts go and how often."""
    readers: list[Tenant] = Field(default_factory=list, max_length=100)
    """Tenants of the anomaly service that may read the scores over its API; by default none."""
    scale: Scale = FunctionScale()
    """Where the scoring loop runs."""

    @field_validator("interval")
    @classmethod
    def _is_practical(cls, interval: timedelta, info: ValidationInfo) -> timedelta:
        if not timedelta(seconds=1) <= interval <= timedelta(days=7):
            raise ValueError("must be from 1s to 7d")
        return check_scheduled_interval(interval, info)

    @field_validator("lateness")
    @classmethod
    def _keeps_few_intervals_open(cls, lateness: timedelta, info: ValidationInfo) -> timedelta:
        interval = info.data.get("interval")
        if interval is not None and lateness > MAX_OPEN_INTERVALS * interval:
            raise ValueError(f"must be at most {MAX_OPEN_INTERVALS} intervals")
        return lateness

    @field_validator("freshness")
    @classmethod
    def _is_a_buffer_of_firehose(cls, freshness: timedelta, info: ValidationInfo) -> timedelta:
        if freshness > LONGEST:
            raise ValueError("must be from 0s to 15m: a delivery stream buffers no longer")
        place = info.data["source"].place if "source" in info.data else "topic"
        if place == "folders":
            raise ValueError(
                "is of a topic: files of folders are fetched when they are written; leave it out"
            )
        if place not in ("topic", "kinesis"):
            raise ValueError(f"is of a topic: source.{place}.offset says when it is asked; leave it out")
        return freshness

    @field_validator("measures")
    @classmethod
    def _are_named_apart(cls, measures: list[Measure], info: ValidationInfo) -> list[Measure]:
        refuse_repeats([measure.name for measure in measures], "name")
        metrics = info.data["source"].cloudwatch if "source" in info.data else None
        for measure in measures:
            if metrics is not None and measure.field not in metrics.fields:
                raise ValueError(
                    f"the field {measure.field!r} is none of source.cloudwatch.metrics, which have "
                    f"{', '.join(metrics.fields)}"
                )
        return measures

    @field_validator("dimensions")
    @classmethod
    def _are_fields_of_their_own(cls, dimensions: list[str], info: ValidationInfo) -> list[str]:
        refuse_repeats(dimensions, "dimension")
        taken = {measure.field for measure in info.data.get("measures", [])}
        if "source" in info.data:
            taken.add(info.data["source"].timestamp.field)
        for dimension in dimensions:
            if dimension in taken:
                raise ValueError(f"{dimension!r} is a measure's or the timestamp's field already")
        for name in info.data["source"].where if "source" in info.data else ():
            if name not in dimensions:
                raise ValueError(
                    f"source.where names {name!r}, which is none of them: add it, or leave it out"
                )
        if "source" in info.data and info.data["source"].cloudwatch is not None:
            info.data["source"].cloudwatch.check(dimensions)
        return dimensions

    @field_validator("exclude", "mute", "calendars")
    @classmethod
    def _select_what_there_is(
        cls, chosen: list[Selection] | list[Calendar], info: ValidationInfo
    ) -> list[Selection] | list[Calendar]:
        measures, dimensions = info.data.get("measures"), info.data.get("dimensions")
        if measures is not None and dimensions is not None:
            for one in chosen:
                one.check([measure.name for measure in measures], dimensions)
        return chosen

    @field_validator("calendars")
    @classmethod
    def _are_called_apart(cls, calendars: list[Calendar]) -> list[Calendar]:
        refuse_repeats([calendar.name for calendar in calendars], "name")
        return calendars

    @field_validator("exclude")
    @classmethod
    def _leave_something(cls, chosen: list[Selection], info: ValidationInfo) -> list[Selection]:
        whole = {one.measure for one in chosen if not one.where}
        if "measures" in info.data and {measure.name for measure in info.data["measures"]} <= whole:
            raise ValueError(
                "every measure is excluded: nothing would be watched; remove the workload instead"
            )
        return chosen

    @field_validator("alerts")
    @classmethod
    def _are_of_what_there_is(cls, alerts: Alerts, info: ValidationInfo) -> Alerts:
        measures, dimensions = info.data.get("measures"), info.data.get("dimensions")
        if measures is not None and dimensions is not None:
            alerts.check([measure.name for measure in measures], dimensions)
        return alerts

    @field_validator("silence")
    @classmethod
    def _can_be_told(cls, silence: Silence | None, info: ValidationInfo) -> Silence | None:
        interval, measures = info.data.get("interval"), info.data.get("measures")
        if silence is None or interval is None or measures is None:
            return silence
        if silence.after < interval:
            raise ValueError("after must be at least the interval: shorter, each interval would be a silence")
        if all(measure.plan().fill != "ignore" for measure in measures):
            raise ValueError(
                "every measure has a value where nothing is said (missing), and that is scored: leave "
                "silence out, or watch a measure with missing: ignore"
            )
        return silence

    @field_validator("detector")
    @classmethod
    def _takes_the_features(cls, detector: Detector, info: ValidationInfo) -> Detector:
        features = info.data.get("features")
        if isinstance(detector, WatchkeeperDetector) and features is not None and features != Features():
            raise ValueError(
                "the detector watchkeeper takes the series as they are: leave features out; "
                "detector.hyperparameters.context says how much of the past a score is made from"
            )
        return detector

    @field_validator("threshold")
    @classmethod
    def _is_of_the_detector(cls, threshold: Threshold, info: ValidationInfo) -> Threshold:
        if isinstance(threshold, RarityThreshold) and not _streams(info.data):
            raise ValueError("rarity is the calibration of the detector watchkeeper: choose another rule")
        return threshold

    @field_validator("gate")
    @classmethod
    def _lets_pass_what_is_wanted(cls, gate: Gate, info: ValidationInfo) -> Gate:
        threshold = info.data.get("threshold")
        if isinstance(threshold, AlertBudgetThreshold) and threshold.per_week > gate.max_alerts_per_week:
            raise ValueError(
                f"max_alerts_per_week {gate.max_alerts_per_week:g} is below threshold.per_week "
                f"{threshold.per_week:g}: a model with as many alerts as are wanted would be refused"
            )
        return gate

    @field_validator("endpoint")
    @classmethod
    def _can_serve_the_detector(cls, endpoint: Endpoint | None, info: ValidationInfo) -> Endpoint | None:
        if endpoint is None:
            _needs_no_endpoint(info.data.get("detector"))
        elif endpoint.serverless is not None and isinstance(info.data.get("detector"), RcfDetector):
            raise ValueError(
                "serverless serves one container, and the detector rcf needs two (an inference pipeline): "
                "use instance_type, or the detector watchkeeper"
            )
        return endpoint

    @field_validator("incidents")
    @classmethod
    def _are_over_after_the_gap(cls, incidents: Incidents, info: ValidationInfo) -> Incidents:
        interval = info.data.get("interval")
        if interval is None or incidents.closes_after is None:
            return incidents
        gap = timedelta(seconds=incidents.plan().gap(_seconds(interval)))
        if incidents.closes_after < gap:
            raise ValueError(
                f"closes_after must be at least the gap, which is {gap}: what comes within it is of the "
                "incident still"
            )
        return incidents

    @property
    def timezone(self) -> str:
        """IANA name of the zone of its source, in which people are told times."""
        return self.source.timestamp.timezone

    @property
    def delivery(self) -> Delivery:
        """How its telemetry becomes objects, where it comes by itself."""
        if self.source.kinesis is not None:
            return Delivery.alone(self.freshness)
        return Delivery.within(self.freshness)

    @property
    def delivered_within_seconds(self) -> int:
        """How long a record usually takes, at most, until it is in an object that will be scored."""
        if self.source.offset is not None:
            return _seconds(self.source.offset) + SCHEDULED_WITHIN_SECONDS
        return math.ceil(self.delivery.longest_seconds)

    @field_validator("scale")
    @classmethod
    def _scores_where_it_runs(cls, scale: Scale, info: ValidationInfo) -> Scale:
        detector = info.data.get("detector")
        asked = None if isinstance(detector, WatchkeeperDetector) else detector
        if asked is not None and isinstance(scale, SparkScale):
            raise ValueError(
                f"spark asks no endpoint, and the detector {asked.algorithm} is scored at one: "
                "use the detector watchkeeper, which scores in the job itself"
            )
        return scale

    @property
    def is_streaming(self) -> bool:
        """Whether the detector learns in the scoring loop: its training fits and transforms nothing."""
        return isinstance(self.detector, WatchkeeperDetector)

    def plan(self) -> WorkloadPlan:
        """Return what the running parts know of the workload."""
        return WorkloadPlan(
            workload=self.name,
            timestamp=TimestampPlan(**self.source.timestamp.model_dump()),
            record_id_field=self.source.record_id,
            measures=tuple(measure.plan() for measure in self.measures),
            dimensions=tuple(self.dimensions),
            exclude=tuple(one.plan() for one in self.exclude),
            where=self.source.kept(),
            interval_seconds=_seconds(self.interval),
            lateness_seconds=_seconds(self.lateness),
            delivery_seconds=self.delivered_within_seconds + SCORED_WITHIN_SECONDS,
            silence=None
            if self.silence is None
            else SilencePlan(_seconds(self.silence.after), self.silence.severity),
            quality=None if self.quality is False else self.quality.plan(),
            max_gap_intervals=self.max_gap_intervals,
            history_seconds=None if self.history.window is None else _seconds(self.history.window),
            dialect=self.history.dialect(),
            max_refused_share=self.history.max_refused_share,
            split=SplitPlan(**self.history.split.model_dump()),
            feedback_labels=self.history.feedback,
            features=_features(self),
            detector=_detector(self),
            threshold=ThresholdPlan(**self.threshold.model_dump()),
            gate=GatePlan(**self.gate.model_dump()),
            alerts=self.alerts.plan(self.timezone, tuple(one.until_in(self.timezone) for one in self.mute)),
            calendars=tuple(one.plan_in(self.source.timestamp.timezone) for one in self.calendars),
            incidents=self.incidents.plan(),
            readers=tuple(self.readers),
        )


def _detector(spec: AnomalyWorkload) -> DetectorPlan:
    if isinstance(spec.detector, RegisteredDetector):
        return DetectorPlan(spec.detector.algorithm, {"version": spec.detector.version})
    if spec.endpoint is None:
        return DetectorPlan(spec.detector.algorithm)
    return DetectorPlan(**spec.detector.model_dump())


def _features(spec: AnomalyWorkload) -> FeaturePlan:
    if isinstance(spec.detector, WatchkeeperDetector):
        # what a request at the endpoint shows; the scoring loop needs the interval alone
        context = 1 if spec.endpoint is None else spec.detector.hyperparameters.context
        return FeaturePlan(shingle=context, differences=False)
    return FeaturePlan(**spec.features.model_dump())


def _streams(validated: dict[str, Any]) -> bool:
    return isinstance(validated.get("detector"), WatchkeeperDetector)


def _needs_no_endpoint(detector: Detector | None) -> None:
    """Refuse what only an endpoint makes sense of."""
    if detector is None:
        return
    if detector.algorithm != "watchkeeper":
        raise ValueError(
            f"the detector {detector.algorithm} is asked at an endpoint: leave the key out for its defaults"
        )
    if "context" in detector.hyperparameters.model_fields_set:
        raise ValueError(
            "is missing, and detector.hyperparameters.context is what a request at the endpoint shows: "
            "leave context out, or write endpoint: {}"
        )


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
