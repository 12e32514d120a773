"""The detection plan: what the running parts (Lambda functions and containers) know of a workload.

`watchkeeper.spec` validates what a user writes and derives this plan from it. The plan travels as JSON, in a
parameter for the Lambda functions and in a file beside the training data for the jobs, so it is made of
standard-library dataclasses only.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

from watchkeeper.core.documents import Document
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import THRESHOLD_SEVERITY

PLAN_VERSION = 1
LEAST_CONTEXT = 16
"""Fewest intervals that a snapshot of the streaming detector is asked with, the current one included."""

Aggregate = Literal["avg", "sum", "min", "max", "count", "distinct"]
"""`count` counts the records that have the field, `distinct` its different values; both take any value."""
Fill = float | Literal["ignore", "previous"]
"""What an interval without records has: a value, none, or that of the one before."""
TimestampFormat = str
"""`iso8601`, `epoch_seconds`, `epoch_milliseconds`, `epoch_microseconds`, `epoch_nanoseconds`, or a format of
`strptime` such as `%Y-%m-%d %H:%M:%S`."""

USUAL_GAP_INTERVALS = 3
LEAST_QUIET_SECONDS = 1800

MAX_REFUSED_SHARE = 0.05
"""Share of unusable records in [0, 1] above which a history is no history, unless the spec says otherwise."""


@dataclass(frozen=True)
class TimestampPlan:
    """Where a record's event time is and how it is written."""

    field: str
    format: TimestampFormat = "iso8601"
    timezone: str = "UTC"
    """IANA name of the zone of timestamps that carry none."""


@dataclass(frozen=True)
class Dialect:
    """What a CSV file does not tell by itself."""

    delimiter: str | None = None
    """One character; None: found from the header."""
    decimal: str = "."
    """What separates a number's fraction: a point or a comma."""

    def __post_init__(self) -> None:
        """Refuse a delimiter that is not one character, and another decimal sign."""
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InvalidInputError(
                f"delimiter {self.delimiter[:20]!r}: must be one character, such as , ; | or a tab",
                reason="bad_delimiter",
            )
        if self.decimal not in (".", ","):
            raise InvalidInputError(
                f"decimal sign {self.decimal[:20]!r}: must be . or ,", reason="bad_decimal"
            )


@dataclass(frozen=True)
class MeasureRules:
    """What of a measure is an anomaly, and what is none, beside its score; see `judgement.rules`."""

    direction: Literal["above", "below", "both"] = "both"
    """On which side of the expected value an anomaly may be."""
    ignore_absolute: float = 0.0
    """A deviation from the expected value that is smaller is no anomaly; in the measure's unit."""
    ignore_relative: float = 0.0
    """The same, as a share of the expected value."""
    allowed_from: float | None = None
    """A value below it is an anomaly, whatever its score; None: nothing is too low."""
    allowed_to: float | None = None
    """A value above it is."""
    allowed_severity: float = 80.0
    """Least severity of an anomaly outside of the allowed range."""


@dataclass(frozen=True)
class MeasurePlan:
    """One number that is watched: `aggregate` of `field` over each interval."""

    name: str
    field: str
    aggregate: Aggregate = "avg"
    missing: Fill | None = None
    """What an interval without records has: no value, that of the one before, or this one; None: 0 where the
    aggregate is a sum or counts, else no value."""
    rules: MeasureRules | None = None
    """None: the score alone decides."""

    @property
    def fill(self) -> Fill:
        """The same, said out."""
        if self.missing is not None:
            return self.missing
        return 0.0 if self.aggregate == "sum" or self.counts else "ignore"

    @property
    def counts(self) -> bool:
        """Whether a record counts by having the field, whatever its value is."""
        return self.aggregate in ("count", "distinct")


@dataclass(frozen=True)
class FeaturePlan:
    """The feature vector: value, `differences` first differences, a shingle of lags, and time encodings."""

    shingle: int = 4
    """Number of consecutive intervals in the vector, the current one included; at least 1."""
    differences: bool = True
    time_of_day: bool = False
    day_of_week: bool = False

    @property
    def has_time(self) -> bool:
        """Whether the vector depends on when an interval is, not only on values."""
        return self.time_of_day or self.day_of_week


@dataclass(frozen=True)
class ThresholdPlan:
    """The rule that turns held-back scores into a threshold."""

    rule: Literal["mean_sigma", "quantile", "peaks_over_threshold", "adaptive", "rarity", "alert_budget"] = (
        "mean_sigma"
    )
    k: float = 3.0
    """Standard deviations above the mean, for `mean_sigma`."""
    quantile: float = 0.999
    """Quantile of the scores in (0, 1), for `quantile`."""
    risk: float = 1e-4
    """Probability in (0, 1) that a usual score is above the threshold, for `peaks_over_threshold`; share of a
    series' intervals that begin an anomaly, for `adaptive`."""
    tail: float = 0.05
    """Share of the highest scores in (0, 1) that the tail is fitted on, for `peaks_over_threshold` and
    `adaptive`."""
    step: float = 0.1
    """How far a beginning anomaly raises the threshold, for `adaptive`, in distances from the median score to
    the fitted threshold."""
    reach: float = 0.5
    """How far it moves at most from the fitted value, in the same unit."""
    rarity: float = 3.75
    """-log10 of the share of usual intervals that are anomalies, for `rarity`: the streaming detector's own
    calibration."""
    per_week: float = 7.0
    """Alerts of a week that are wanted, over all series, for `alert_budget`."""


@dataclass(frozen=True)
class DetectorPlan:
    """Which detector scores the feature vectors, and its hyperparameters."""

    algorithm: Literal["rcf", "watchkeeper", "registered"] = "rcf"
    """`registered` is a model of the anomaly service; the hyperparameter `version` says which."""
    hyperparameters: dict[str, int | float | str | bool] = dataclasses.field(default_factory=dict)

    @property
    def is_streaming(self) -> bool:
        """Whether it scores in the scoring loop itself and learns there, without an endpoint."""
        return self.algorithm == "watchkeeper"


@dataclass(frozen=True)
class SplitPlan:
    """Fractions of the history, in time order: the rest after `train` and `calibrate` is the test part."""

    train: float = 0.6
    calibrate: float = 0.2


@dataclass(frozen=True)
class GatePlan:
    """What a model must meet before it may serve."""

    max_alerts_per_week: float = 7.0
    beat_baseline: bool = True
    beat_champion: bool = True
    tolerance: float = 0.0
    """How much worse than the champion a model may be, in units of the compared metric."""


@dataclass(frozen=True)
class SilencePlan:
    """When a series that says nothing is an anomaly."""

    after_seconds: int
    severity: float


@dataclass(frozen=True)
class QualityPlan:
    """When a feed is broken: by how much, in (0, 1], a share is beyond what is usual; see
    `watchkeeper.judgement.quality`."""

    late: float = 0.2
    """Of rows: their interval had closed."""
    duplicated: float = 0.2
    """Of rows: they had come before."""
    refused: float = 0.1
    """Of rows: they are no records."""
    clock: float = 0.2
    """Of rows: they come earlier or later than usual, by more than `clock_seconds`."""
    clock_seconds: int = 900
    missing: float = 0.2
    """Of a measure's values, where its device has records."""
    silent: float = 0.3
    """Of devices."""


@dataclass(frozen=True)
class SeriesSelection:
    """Series of a measure, of dimension values, or of both; see `watchkeeper.telemetry.selection`."""

    measure: str | None = None
    """None: whatever the measure."""
    where: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Values by dimension: one of each has to be the series'."""


AlertKind = Literal["incident", "data_quality"]
"""What an alert is about: values, or how the telemetry comes."""
AlertMoment = Literal["opening", "escalation", "end"]
"""What of an incident a route tells: that it began, that it got worse, that it is over."""
Side = Literal["above", "below", "silent"]
"""Where a series is: beyond one end of its usual range, or without a reading."""


@dataclass(frozen=True)
class HoursPlan:
    """Hours of the week, as the clocks of a zone show them."""

    begin_minute: int
    """Minutes after midnight; included."""
    end_minute: int
    """Excluded. Not after the beginning: on the next day, and the hours are of the day they begin on."""
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """0 is Monday."""
    timezone: str = "UTC"


@dataclass(frozen=True)
class RouteFilter:
    """What a route is about; what is not said is not asked."""

    series: tuple[SeriesSelection, ...] = ()
    """One of them has to take a series of the incident."""
    side: Side | None = None
    """Where that series has to be."""
    hours: HoursPlan | None = None
    """When the alert bus has to have taken the event."""
    kind: AlertKind | None = None
    """None: both; where it asks for series or a side, incidents."""


@dataclass(frozen=True)
class EscalationPlan:
    """What becomes of an incident that nobody acknowledges."""

    after_seconds: int
    """After the route was told."""
    to: str
    """Another route's channel."""


@dataclass(frozen=True)
class AlertRoute:
    """What of which incidents goes to `channel`."""

    channel: str
    severity_at_least: float = THRESHOLD_SEVERITY
    when: tuple[AlertMoment, ...] = ("opening", "escalation")
    only: RouteFilter = RouteFilter()
    escalation: EscalationPlan | None = None
    receiver: str = ""
    """What Watchkeeper delivers to itself, for people: `webhook HOST`, `slack SECRET` or
    `event_bus ARN`; empty where SNS delivers."""


@dataclass(frozen=True)
class MutePlan:
    """Series whose anomalies raise no alert for a while; they are scored and kept all the same."""

    series: SeriesSelection
    until: int
    """Anomalies of intervals that begin before it, in seconds since 1970, raise none."""
    reason: str = ""
    """For people."""


@dataclass(frozen=True)
class WeeklyTime:
    """A time of every week."""

    weekday: int
    """On which it begins; Monday is 0."""
    minute: int
    """When it begins, in minutes of the local day's clock."""
    seconds: int
    """How long it lasts."""


@dataclass(frozen=True)
class CalendarPlan:
    """Times at which what is unusual is no anomaly; see `watchkeeper.judgement.calendars`."""

    name: str
    timezone: str
    series: SeriesSelection = SeriesSelection()
    days: tuple[int, ...] = ()
    """Local dates, in days since 1970."""
    once: tuple[tuple[int, int], ...] = ()
    """Begin and end, in seconds since 1970."""
    weekly: tuple[WeeklyTime, ...] = ()
    known_through: int | None = None
    """The last local date of which holidays and events of files are known, in days since 1970; None where
    there are none."""


@dataclass(frozen=True)
class AlertPlan:
    """Where alerts go, and how often one series may raise one."""

    routes: tuple[AlertRoute, ...] = ()
    throttle_seconds: int = 3600
    mutes: tuple[MutePlan, ...] = ()
    link_seconds: int = 0
    """How long links in an alert answer it without a sign-in; 0: there are none."""


@dataclass(frozen=True)
class IncidentPlan:
    """Which anomalies are one incident, and when it is over."""

    gap_seconds: int | None = None
    """Quiet that may lie between two anomalies of one; None: `USUAL_GAP_INTERVALS`."""
    together_at_least: int = 3
    """Series of one measure, or with one dimension value, that are a crowd; at least 2."""
    closes_after_seconds: int | None = None
    """Quiet after which it is over; None: the gap, and `LEAST_QUIET_SECONDS` at least."""

    def gap(self, interval_seconds: int) -> int:
        """Return the gap in seconds."""
        return USUAL_GAP_INTERVALS * interval_seconds if self.gap_seconds is None else self.gap_seconds

    def closes_after(self, interval_seconds: int) -> int:
        """Return the seconds of quiet after which an incident is over; never less than the gap."""
        least = LEAST_QUIET_SECONDS if self.closes_after_seconds is None else self.closes_after_seconds
        return max(self.gap(interval_seconds), least)


@dataclass(frozen=True)
class WorkloadPlan(Document, name="plan"):
    """Everything that the running parts know of one workload."""

    workload: str
    timestamp: TimestampPlan
    measures: tuple[MeasurePlan, ...]
    interval_seconds: int
    dimensions: tuple[str, ...] = ()
    exclude: tuple[SeriesSelection, ...] = ()
    """Series that are not watched: neither trained on nor scored."""
    where: SeriesSelection = SeriesSelection()
    """Series that are watched; without dimension values, all but those of `exclude`."""
    lateness_seconds: int = 0
    """How long after an interval's end, in event time, its late records are still taken."""
    record_id_field: str | None = None
    """The field that identifies a record; without one, its whole content does."""
    delivery_seconds: int = 150
    """How long a record may be under way until it is scored."""
    silence: SilencePlan | None = None
    """None where a series may say nothing."""
    quality: QualityPlan | None = QualityPlan()
    """None where nobody is told how records come."""
    max_gap_intervals: int = 3
    """Missing intervals that are bridged with the last value; a longer gap starts the context anew."""
    history_seconds: int | None = None
    """How much of the newest history a training run learns from; without a value, all of it."""
    dialect: Dialect = Dialect()
    """How CSV files of history are written."""
    max_refused_share: float = MAX_REFUSED_SHARE
    """Share of the history in [0, 1] that may be unusable."""
    features: FeaturePlan = FeaturePlan()
    detector: DetectorPlan = dataclasses.field(default_factory=DetectorPlan)
    threshold: ThresholdPlan = ThresholdPlan()
    split: SplitPlan = SplitPlan()
    feedback_labels: bool = True
    """Whether what people called real is a label of the training."""
    gate: GatePlan = GatePlan()
    alerts: AlertPlan = AlertPlan()
    calendars: tuple[CalendarPlan, ...] = ()
    incidents: IncidentPlan = IncidentPlan()
    readers: tuple[str, ...] = ()
    """Tenants of the anomaly service that may read the scores."""
    version: int = PLAN_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready objects; of a measure what it has, since a parameter holds few bytes."""
        document = super().to_dict()
        document["measures"] = [
            {key: value for key, value in measure.items() if value is not None}
            for measure in document["measures"]
        ]
        if self.where == SeriesSelection():
            del document["where"]
        if self.quality == QualityPlan():
            del document["quality"]
        return document

    @property
    def tick_seconds(self) -> int:
        """How often intervals are closed by the time that has passed: once an interval, each minute to each
        hour."""
        return 60 * max(1, min(self.interval_seconds // 60, 60))
