"""How a workload detects: history, features, detector, threshold, and the gate before a model serves."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from watchkeeper.core.plan import LEAST_CONTEXT
from watchkeeper.spec.history import HistoryFiles, Window, leaves_a_test_part
from watchkeeper.spec.section import Section


class Split(Section):
    """Parts of the history in time order; what is left after both is the test part."""

    train: float = Field(default=0.6, ge=0.05, le=0.9)
    """Fraction that the model is trained on."""
    calibrate: float = Field(default=0.2, ge=0.05, le=0.9, validate_default=True)
    """Fraction whose scores the threshold is fitted on."""

    _leaves_a_test_part = field_validator("calibrate")(leaves_a_test_part)


class History(HistoryFiles):
    """What a training run learns from."""

    files: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)
    """Files that `watchkeeper up` trains on and replays: paths (relative ones from this file's folder), or
    places in S3 such as s3://BUCKET/PREFIX/."""
    window: Window = None
    """How much of the newest history is read; without a value, all of it."""
    split: Split = Split()
    """Parts of the history in time order."""
    feedback: bool = True
    """Whether what people called real is a label of the training and its evaluation, beside `labels.json`.
    Thresholds follow feedback either way."""


class Features(Section):
    """What is in the feature vector."""

    shingle: int = Field(default=4, ge=1, le=256)
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


class WatchkeeperHyperparameters(Section):
    """Hyperparameters of Watchkeeper's detector: its own defaults are meant for every series."""

    context: int = Field(default=128, ge=LEAST_CONTEXT, le=256)
    """Latest intervals that a request at the endpoint shows, the current one included; needs an endpoint."""


class WatchkeeperDetector(Section):
    """Watchkeeper's own detector. It takes the series as they are, without features, scores in the scoring
    loop itself and learns there: it needs no endpoint.
    """

    algorithm: Literal["watchkeeper"]
    """Which detector scores the feature vectors."""
    hyperparameters: WatchkeeperHyperparameters = WatchkeeperHyperparameters()
    """Settings of the algorithm."""


class RegisteredDetector(Section):
    """A model that the anomaly service trained, promoted to this workload: it is served, not trained again.

    A model of one column takes the value (`features: {shingle: 1, differences: false}`); one of several takes
    columns that are named as the features are: `value`, `lag_1`, `difference_1`, `time_of_day_sin`, …, in the
    units of the data. A model of the algorithm `watchkeeper` has a column for each series, and scores a value
    with the shingle before it.
    """

    algorithm: Literal["registered"]
    """Which detector scores the feature vectors."""
    version: int = Field(ge=1)
    """Version of the model in the service's part of the registry; `watchkeeper models` lists them."""


Detector = Annotated[RcfDetector | WatchkeeperDetector | RegisteredDetector, Field(discriminator="algorithm")]


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


class PeaksOverThreshold(Section):
    """The tail of the calibration scores, extrapolated to a stated risk."""

    rule: Literal["peaks_over_threshold"]
    """How the threshold is fitted."""
    risk: float = Field(default=1e-4, gt=0, lt=0.5)
    """Probability that a usual score is above the threshold."""
    tail: float = Field(default=0.05, gt=0, lt=0.5)
    """Share of the highest calibration scores that the tail is fitted on; more than `risk`."""

    @model_validator(mode="after")
    def _tail_holds_the_risk(self) -> PeaksOverThreshold:
        if self.risk >= self.tail:
            raise ValueError(f"risk {self.risk} is not below tail {self.tail}")
        return self


class AdaptiveThreshold(Section):
    """A threshold that moves with each series, so that a stated share of its intervals begins an anomaly.

    It begins where `peaks_over_threshold` is. `step` and `reach` are in distances from the median score to
    that value.
    """

    rule: Literal["adaptive"]
    """How the threshold is fitted."""
    risk: float = Field(default=1e-3, gt=0, lt=0.5)
    """Share of a series' intervals that begin an anomaly."""
    tail: float = Field(default=0.05, gt=0, lt=0.5)
    """Share of the highest calibration scores that its beginning is fitted on; more than `risk`."""
    step: float = Field(default=0.1, gt=0, le=1)
    """How far an interval that begins an anomaly raises it."""
    reach: float = Field(default=0.5, gt=0, le=5)
    """How far from its beginning it moves at most; at least `step`."""

    @model_validator(mode="after")
    def _settings_go_together(self) -> AdaptiveThreshold:
        if self.risk >= self.tail:
            raise ValueError(f"risk {self.risk} is not below tail {self.tail}")
        if self.step > self.reach:
            raise ValueError(f"step {self.step} is above reach {self.reach}")
        return self


class RarityThreshold(Section):
    """The streaming detector's own calibration: the decisions of `watchkeeper score`. Nothing is fitted."""

    rule: Literal["rarity"]
    """How the threshold is fitted."""
    rarity: float = Field(default=3.75, gt=0, le=9.9)
    """-log10 of the share of usual intervals that are anomalies: 3.75 is one in 5,600."""


class AlertBudgetThreshold(Section):
    """The lowest threshold with which the calibration scores raise no more alerts than are wanted: each
    training fits it again. Labelled anomalies do not count, and alerts are throttled as `alerts` says.
    """

    rule: Literal["alert_budget"]
    """How the threshold is fitted."""
    per_week: float = Field(gt=0, le=10_000)
    """Alerts of a week, of all series together."""


Threshold = Annotated[
    MeanSigmaThreshold
    | QuantileThreshold
    | PeaksOverThreshold
    | AdaptiveThreshold
    | RarityThreshold
    | AlertBudgetThreshold,
    Field(discriminator="rule"),
]


class Gate(Section):
    """What a model must meet before it may serve."""

    max_alerts_per_week: float = Field(default=7.0, ge=0)
    """Budget over all series; where there are labels, for alerts outside the labelled windows."""
    beat_baseline: bool = True
    """Whether it must be better than the distance to the previous value; needs labels."""
    beat_champion: bool = True
    """Whether it must not be worse than the model in service; needs labels."""
    tolerance: float = Field(default=0.0, ge=0, le=1)
    """How much lower than the champion's its PR-AUC may be; of the detector watchkeeper, its F1 by event."""
