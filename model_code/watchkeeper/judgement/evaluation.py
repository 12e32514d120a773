"""The result of evaluating a candidate model: what the gate decides on and what a release is made from;
and the index of the held-back rows that it was measured on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document
from watchkeeper.features.contributions import NO_EXPLAINER, Explainer
from watchkeeper.features.relations import Relation
from watchkeeper.judgement.severity import SeverityCalibration
from watchkeeper.judgement.thresholds import Threshold
from watchkeeper.telemetry.census import Census

EVALUATION_VERSION = 1
NAMED_SERIES = 10
"""Of many series, how many a document or a sentence names."""
JudgedBy = Literal["points", "events"]
"""Labelled intervals, each one case, or events and labelled windows: a detector that learns as it goes tells
when something begins and is then silent, so that most of a window's intervals are no anomalies."""


@dataclass(frozen=True)
class Metrics:
    """How one scorer did on the test part. Those that need labels are None without them.

    See `watchkeeper.judgement.metrics` for the definitions.
    """

    threshold: float
    """As it was fitted; of the rule `adaptive`, where each series begins."""
    n: int
    """Rows of the test part."""
    anomalies: int
    """Rows whose score is above the threshold; of the rule `adaptive`, above where it stands then."""
    alerts_per_week: float
    """Alerts that would be raised, with the plan's throttle, over all series."""
    distinct_scores: int
    """Different scores among the rows; 1 is a detector that says nothing."""
    expected_alerts_per_week: float | None = None
    """What the threshold's rule states from the part that it was fitted on, over all series."""
    false_alerts_per_week: float | None = None
    """Those of the alerts that are outside all labelled windows."""
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    pr_auc: float | None = None
    windows_found: int | None = None
    windows_total: int | None = None
    events: int | None = None
    """Anomalies of one series that follow each other within the plan's throttle are one event."""
    event_precision: float | None = None
    """Share of the events that meet a labelled window."""
    event_recall: float | None = None
    """Share of the labelled windows that are found."""
    event_f1: float | None = None


@dataclass(frozen=True)
class AlertShares:
    """Which series the alerts come from that the gate counts: outside of labelled windows, as far as there
    are labels."""

    by_series: dict[str, float]
    """Alerts a week of the series with most, at most `NAMED_SERIES`."""
    n_alerting: int
    """Series with at least one."""
    n_series: int
    """Series of the test part."""


@dataclass(frozen=True)
class Evaluation(Document, name="evaluation", indent=2):
    """The document `evaluation.json`."""

    workload: str
    run_id: str
    labelled: bool
    """Whether the test part has labels and at least one of them is an anomaly."""
    threshold: Threshold
    severity: SeverityCalibration
    candidate: Metrics
    baseline: Metrics
    """The trivial detector: distance to the previous value, in step scales."""
    champion: Metrics | None
    """The model in service on the same rows; None for the first model."""
    step_scales: dict[str, float]
    """By series key."""
    n_calibrate: int
    """Rows that the thresholds were fitted on."""
    explainer: Explainer = NO_EXPLAINER
    """How the candidate's anomalies are explained."""
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)
    """When each series began (ISO 8601, UTC) that training has not seen, and that nothing was measured on."""
    census: Census = dataclasses.field(default_factory=Census)
    """Of the history's series; older software counted none."""
    relations: tuple[Relation, ...] = ()
    """How measures moved with one another in the history, the strongest first."""
    judged_by: JudgedBy = "points"
    """What the gate compares."""
    not_compared: str | None = None
    """Why the model in service has no figures here, though there is one."""
    parameters: dict[str, float] | None = None
    """Of a streaming detector: `watchkeeper.detectors.streaming.state.Parameters`."""
    alert_shares: AlertShares | None = None
    """None in a document of before."""
    version: int = EVALUATION_VERSION


@dataclass(frozen=True)
class HoldbackRow(Document, name="row of the holdback index", sort_keys=False):
    """One held-back row."""

    series: str
    interval_start: str
    """ISO 8601, UTC."""
    value: float
    part: Literal["calibrate", "test"]
    label: bool | None
    """Whether the interval is in a labelled window; None where there are no labels."""
    expected: float | None
    lower: float | None
    upper: float | None
