"""The result of evaluating a candidate model: what the gate decides on and what a release is made from."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.features.contributions import NO_EXPLAINER, Explainer
from watchkeeper.judgement.severity import SeverityCalibration
from watchkeeper.judgement.thresholds import Threshold

EVALUATION_VERSION = 1


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


@dataclass(frozen=True)
class Evaluation:
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
    version: int = EVALUATION_VERSION

    def to_json(self) -> str:
        """Return the evaluation as one JSON document."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Evaluation:
        """Read an evaluation.

        Raises
        ------
        ContractViolationError
            If it has another version or other keys than this release knows.
        """
        document: dict[str, Any] = json.loads(text)
        if document.get("version") != EVALUATION_VERSION:
            raise ContractViolationError(
                f"evaluation version {document.get('version')!r}, this release reads {EVALUATION_VERSION}"
            )
        try:
            return cls(
                **{
                    **document,
                    "threshold": Threshold.from_dict(document["threshold"]),
                    "severity": SeverityCalibration.from_dict(document["severity"]),
                    "candidate": Metrics(**document["candidate"]),
                    "baseline": Metrics(**document["baseline"]),
                    "champion": Metrics(**document["champion"]) if document["champion"] else None,
                    "explainer": Explainer(**document.get("explainer", {"method": "none"})),
                }
            )
        except (KeyError, TypeError) as error:
            raise ContractViolationError(f"evaluation: {error}") from error
