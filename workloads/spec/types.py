"""The types of a workload spec. Unknown keys are refused; what is not written has the default given here.

Checks between keys are validators of the later key, so that they are reported together with every other
mistake.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from watchkeeper.plan import Aggregate, WorkloadPlan

from workloads.spec.fields import (
    Duration,
    InstanceType,
    Name,
    RecordField,
    Schedule,
    TimestampFormat,
    TimeZone,
    TopicFilter,
)

MAX_OPEN_INTERVALS = 1000
"""Lateness keeps intervals open, and the series' state holds all of them."""

DEFAULT_CAPTURE_PERCENT = 20


class Section(BaseModel):
    """A part of the spec: immutable, strict, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Timestamp(Section):
    """Where a record's event time is and how it is written."""

    field: RecordField = "timestamp"
    """Field of the record."""
    format: TimestampFormat = "iso8601"
    """iso8601, epoch_seconds, epoch_milliseconds, or a strptime format."""
    timezone: TimeZone = "UTC"
    """IANA zone of timestamps that carry none."""


class Source(Section):
    """Where telemetry comes from."""

    topic: TopicFilter
    """MQTT topic filter; + is one level, # the rest."""
    timestamp: Timestamp = Timestamp()
    """Where a record's event time is and how it is written."""
    record_id: RecordField | None = None
    """Field that identifies a record; without one, its whole content does."""


class Measure(Section):
    """One number that is watched."""

    field: RecordField
    """Field of the record."""
    name: Name
    """What the measure is called in series keys, charts and alerts."""
    aggregate: Aggregate = "avg"
    """How an interval's readings become one value."""


class Split(Section):
    """Parts of the history in time order; what is left after both is the test part."""

    train: float = Field(default=0.6, ge=0.05, le=0.9)
    """Fraction that the model is trained on."""
    calibrate: float = Field(default=0.2, ge=0.05, le=0.9)
    """Fraction whose scores the threshold is fitted on."""

    @field_validator("calibrate")
    @classmethod
    def _leaves_a_test_part(cls, calibrate: float, info: ValidationInfo) -> float:
        train = info.data.get("train")
        if train is not None and train + calibrate > 0.95:
            raise ValueError(
                f"must leave at least 0.05 for the test part: at most {0.95 - train:g} beside train"
            )
        return calibrate


class History(Section):
    """What a training run learns from."""

    window: Duration | None = None
    """How much of the newest history is read; without a value, all of it."""
    split: Split = Split()
    """Parts of the history in time order."""

    @field_validator("window")
    @classmethod
    def _is_positive(cls, window: timedelta | None) -> timedelta | None:
        if window is not None and window <= timedelta(0):
            raise ValueError("must be longer than 0s")
        return window


class Features(Section):
    """What is in the feature vector."""

    shingle: int = Field(default=4, ge=1, le=64)
    """Consecutive intervals in the vector, the current one included."""
    differences: bool = True
    """Whether the shingle's first differences are in it."""
    time_of_day: bool = False
    """Whether the time of day is in it, as sine and cosine."""
    day_of_week: bool = False
    """Whether the day of week is in it, as sine and cosine."""


class RcfHyperparameters(Section):
    """Hyperparameters of SageMaker's Random Cut Forest, in the ranges that AWS documents."""

    num_trees: int = Field(default=100, ge=50, le=1000)
    """Trees of the forest; more of them give smoother scores."""
    num_samples_per_tree: int = Field(default=256, ge=1, le=2048)
    """Training rows in each tree; its reciprocal should be near the share of anomalies."""


class RcfDetector(Section):
    """SageMaker's built-in Random Cut Forest."""

    algorithm: Literal["rcf"] = "rcf"
    """Which detector scores the feature vectors."""
    hyperparameters: RcfHyperparameters = RcfHyperparameters()
    """Settings of the algorithm."""


class WatchkeeperDetector(Section):
    """Watchkeeper's own detector; its defaults are meant for every series."""

    algorithm: Literal["watchkeeper"]
    """Which detector scores the feature vectors."""
    hyperparameters: dict[str, int | float | str | bool] = Field(default_factory=dict)
    """Settings of the algorithm."""


Detector = Annotated[RcfDetector | WatchkeeperDetector, Field(discriminator="algorithm")]


class MeanSigmaThreshold(Section):
    """Mean plus k standard deviations of the calibration scores."""

    rule: Literal["mean_sigma"] = "mean_sigma"
    """How the threshold is fitted."""
    k: float = Field(default=3.0, gt=0, le=20)
    """Standard deviations above the mean."""


class QuantileThreshold(Section):
    """A quantile of the calibration scores."""

    rule: Literal["quantile"]
    """How the threshold is fitted."""
    quantile: float = Field(default=0.999, ge=0.5, lt=1)
    """Share of the calibration scores at or below the threshold."""


Threshold = Annotated[MeanSigmaThreshold | QuantileThreshold, Field(discriminator="rule")]


class Gate(Section):
    """What a model must meet before it may serve."""

    max_alerts_per_week: float = Field(default=7.0, ge=0)
    """Budget over all series; where there are labels, for alerts outside the labelled windows."""
    beat_baseline: bool = True
    """Whether it must be better than the distance to the previous value; needs labels."""
    beat_champion: bool = True
    """Whether it must not be worse than the model in service; needs labels."""
    tolerance: float = Field(default=0.0, ge=0, le=1)
    """How much lower than the champion's its PR-AUC may be."""


class Training(Section):
    """When and on what the model is trained."""

    instance_type: InstanceType = "ml.m5.large"
    """Instance of every training, processing and transform job."""
    schedule: Schedule | None = None
    """EventBridge expression, rate(…) or cron(…) in UTC; without one, training is started by hand."""


class Serverless(Section):
    """A serverless endpoint: no instances, no data capture, one container."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    """Memory of one concurrent invocation."""
    max_concurrency: int = Field(default=5, ge=1, le=200)
    """Concurrent invocations."""


class Rollout(Section):
    """How traffic moves to a new model (blue/green)."""

    traffic: Literal["all_at_once", "canary"] = "all_at_once"
    """All at once, or first a part of it."""
    canary_percent: int = Field(default=10, ge=1, le=50)
    """The first part, of the new fleet's capacity."""
    wait: Duration = timedelta(minutes=5)
    """How long the alarms watch before the next step or the end; at most 1h."""

    @field_validator("wait")
    @classmethod
    def _is_at_most_an_hour(cls, wait: timedelta) -> timedelta:
        if wait > timedelta(hours=1):
            raise ValueError("must be at most 1h")
        return wait


class Rollback(Section):
    """What makes a deployment roll back."""

    server_errors_per_minute: int = Field(default=1, ge=1)
    """Invocations that fail with 5XX."""
    latency_milliseconds: int = Field(default=5000, ge=1)
    """Mean latency of the model."""


class Endpoint(Section):
    """What serves the model: instances, or serverless."""

    serverless: Serverless | None = None
    """Serverless in place of instances."""
    instance_type: InstanceType = "ml.m5.large"
    """Instance of the endpoint."""
    instance_count: int = Field(default=1, ge=1, le=100)
    """Instances of the endpoint."""
    capture_percent: int = Field(
        default_factory=lambda validated: 0 if validated.get("serverless") else DEFAULT_CAPTURE_PERCENT,
        ge=0,
        le=100,
    )
    """Share of the requests whose rows and scores are captured to S3; 20, or 0 where serverless."""
    rollout: Rollout = Rollout()
    """How traffic moves to a new model."""
    rollback: Rollback = Rollback()
    """What makes a deployment roll back."""

    @field_validator("instance_type", "instance_count")
    @classmethod
    def _has_instances(cls, value: str | int, info: ValidationInfo) -> str | int:
        if info.data.get("serverless") is not None:
            raise ValueError("must be left out beside serverless: such an endpoint has no instances")
        return value

    @field_validator("capture_percent")
    @classmethod
    def _can_capture(cls, percent: int, info: ValidationInfo) -> int:
        if percent and info.data.get("serverless") is not None:
            raise ValueError("must be 0 beside serverless: AWS captures nothing there")
        return percent

    @field_validator("rollout")
    @classmethod
    def _has_room_for_a_canary(cls, rollout: Rollout, info: ValidationInfo) -> Rollout:
        if rollout.traffic == "canary" and info.data.get("serverless") is not None:
            raise ValueError("must be all_at_once beside serverless")
        if rollout.traffic == "canary" and info.data.get("instance_count", 2) < 2:
            raise ValueError(
                "canary needs instance_count of at least 2: a canary is at most half of the fleet"
            )
        return rollout


class Subscription(Section):
    """Who receives a route's alerts."""

    protocol: Literal["email", "https", "sqs"]
    """How alerts are delivered."""
    endpoint: str = Field(min_length=1)
    """E-mail address, https URL, or ARN of the queue."""

    @field_validator("endpoint")
    @classmethod
    def _fits_the_protocol(cls, endpoint: str, info: ValidationInfo) -> str:
        wanted = {
            "email": ("@" in endpoint.strip("@") and " " not in endpoint, "an e-mail address"),
            "https": (
                endpoint.startswith("https://") and len(endpoint) > len("https://"),
                "a URL that begins with https://",
            ),
            "sqs": (endpoint.startswith("arn:") and ":sqs:" in endpoint, "the ARN of an SQS queue"),
        }
        fits, description = wanted.get(info.data.get("protocol", ""), (True, ""))
        if not fits:
            raise ValueError(f"must be {description}")
        return endpoint


class Route(Section):
    """Anomalies of at least a severity go to a channel."""

    channel: Name
    """Name of the channel; subscribers filter on it."""
    severity_at_least: float = Field(default=70.0, ge=0, le=100)
    """From 0 to 100; 70 is the threshold."""
    subscription: Subscription | None = None
    """Who receives them; without one, whoever subscribes to the alert topic."""


class Alerts(Section):
    """Where alerts go and how often."""

    throttle: Duration = timedelta(hours=1)
    """After an alert, how long the same series raises no other one on that route."""
    routes: list[Route] = Field(default_factory=list, max_length=20)
    """Where alerts go."""

    @field_validator("routes")
    @classmethod
    def _have_different_channels(cls, routes: list[Route]) -> list[Route]:
        _refuse_repeats([route.channel for route in routes], "channel")
        return routes


class AnomalyWorkload(Section):
    """A workload that watches measures for anomalies."""

    name: Name
    """The same as the file's name without .yaml."""
    kind: Literal["anomaly"]
    """What the workload does."""
    description: str = ""
    """For people."""
    source: Source
    """Where telemetry comes from."""
    interval: Duration
    """Readings are aggregated over intervals of this length, aligned to the epoch in UTC."""
    lateness: Duration = timedelta(0)
    """How long after an interval's end, in event time, its late records are still taken."""
    measures: list[Measure] = Field(min_length=1, max_length=50)
    """The numbers that are watched, each one a series for each combination of the dimensions."""
    dimensions: list[RecordField] = Field(default_factory=list, max_length=10)
    """Fields that tell series apart, such as a machine's name."""
    max_gap_intervals: int = Field(default=3, ge=0, le=100)
    """Missing intervals that are bridged; a longer gap starts the context anew."""
    history: History = History()
    """What a training run learns from."""
    features: Features = Features()
    """What is in the feature vector."""
    detector: Detector = RcfDetector()
    """What scores the feature vectors."""
    threshold: Threshold = MeanSigmaThreshold()
    """How high a score is an anomaly."""
    gate: Gate = Gate()
    """What a model must meet before it may serve."""
    training: Training = Training()
    """When and on what the model is trained."""
    endpoint: Endpoint = Endpoint()
    """What serves the model."""
    alerts: Alerts = Alerts()
    """Where alerts go and how often."""

    @field_validator("interval")
    @classmethod
    def _is_practical(cls, interval: timedelta) -> timedelta:
        if not timedelta(seconds=1) <= interval <= timedelta(days=7):
            raise ValueError("must be from 1s to 7d")
        return interval

    @field_validator("lateness")
    @classmethod
    def _keeps_few_intervals_open(cls, lateness: timedelta, info: ValidationInfo) -> timedelta:
        interval = info.data.get("interval")
        if interval is not None and lateness > MAX_OPEN_INTERVALS * interval:
            raise ValueError(f"must be at most {MAX_OPEN_INTERVALS} intervals")
        return lateness

    @field_validator("measures")
    @classmethod
    def _are_named_apart(cls, measures: list[Measure]) -> list[Measure]:
        _refuse_repeats([measure.name for measure in measures], "name")
        return measures

    @field_validator("dimensions")
    @classmethod
    def _are_fields_of_their_own(cls, dimensions: list[str], info: ValidationInfo) -> list[str]:
        _refuse_repeats(dimensions, "dimension")
        taken = {measure.field for measure in info.data.get("measures", [])}
        if "source" in info.data:
            taken.add(info.data["source"].timestamp.field)
        for dimension in dimensions:
            if dimension in taken:
                raise ValueError(f"{dimension!r} is a measure's or the timestamp's field already")
        return dimensions

    @field_validator("endpoint")
    @classmethod
    def _can_serve_the_detector(cls, endpoint: Endpoint, info: ValidationInfo) -> Endpoint:
        if endpoint.serverless is not None and isinstance(info.data.get("detector"), RcfDetector):
            raise ValueError(
                "serverless serves one container, and the detector rcf needs two (an inference pipeline): "
                "use instance_type, or the detector watchkeeper"
            )
        return endpoint

    def plan(self) -> WorkloadPlan:
        """Return what the running parts know of the workload."""
        from workloads.spec.plan import plan_of

        return plan_of(self)


WorkloadSpec = AnomalyWorkload
"""Every kind of workload. A second kind makes it a union, told apart by `kind`."""


def _refuse_repeats(values: list[Any], what: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ValueError(
                f"the {what} {value!r} is there {values.count(value)} times; each must be different"
            )
