"""The result of evaluating a fraud model: what the gate decides on, and how it decides.

It needs no numpy, since the workflow's functions read it; the job that measures is in `containers.fraud`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document
from watchkeeper.fraud.plan import FRAUD, FraudGatePlan
from watchkeeper.judgement.promotion import Check, Decision, decision_of

EVALUATION_VERSION = 1


@dataclass(frozen=True)
class FraudMetrics:
    """How one model judged the labelled transactions of the held-out time."""

    n: int
    """Transactions with a label."""
    frauds: int
    pr_auc: float
    """Area under precision and recall; a model that knows nothing has the share of frauds."""
    roc_auc: float | None
    """Area under the receiver's curve; None where all labels are equal."""
    precision: float | None = None
    """At the threshold, as what follows; None where nothing is flagged."""
    recall: float | None = None
    f1: float | None = None
    accuracy: float | None = None
    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    true_negatives: int = 0
    alerts_per_day: float | None = None
    """Flagged transactions on a mean day."""
    pr_auc_interval: tuple[float, float] | None = None
    """95 % of the bootstrap samples of days are between these."""
    roc_auc_interval: tuple[float, float] | None = None

    @property
    def prevalence(self) -> float:
        """Share of the frauds."""
        return self.frauds / self.n if self.n else 0.0


@dataclass(frozen=True)
class FraudEvaluation(Document, name="evaluation", indent=2):
    """The document `evaluation.json` of a fraud workload."""

    workload: str
    run_id: str
    schema_hash: str
    """See `watchkeeper.fraud.schema.FeatureSchema`."""
    choice: str
    """Which of the trained models serves: the simplest of the best on the validation time."""
    threshold: float
    """Probability from which on a transaction is flagged, fitted on the validation time."""
    candidate: FraudMetrics
    """The chosen model."""
    baseline: FraudMetrics
    """A model that gives every transaction the share of frauds."""
    rows: dict[str, FraudMetrics]
    """Every model that was trained, the baselines among them, by its name."""
    champion: FraudMetrics | None
    """The model in service on the same transactions; None where none can answer for them."""
    n_train: int
    """Transactions that the candidate was trained on."""
    kind: Literal["fraud"] = FRAUD
    version: int = EVALUATION_VERSION


def decide_fraud(evaluation: FraudEvaluation, gate: FraudGatePlan) -> Decision:
    """Decide on an evaluated candidate by its PR-AUC on the held-out time.

    It is above the share of frauds, at least the champion's with the tolerance, and at least `min_pr_auc`, as
    far as the gate asks for it.
    """
    candidate = evaluation.candidate
    checks = [_told(evaluation)]
    if gate.beat_baseline:
        checks.append(_beats_baseline(candidate, evaluation.baseline))
    if gate.beat_champion and evaluation.champion is not None:
        checks.append(_holds_against_champion(candidate, evaluation.champion, gate.tolerance))
    if gate.min_pr_auc is not None:
        checks.append(_is_good_enough(candidate, gate.min_pr_auc))
    return decision_of(checks)


_BETTER = "more labelled transactions, or relations that tell more, then train again; or a milder gate"
_KEEP = "keep the model that serves, which is the better one on this time; or a higher gate.tolerance"


def _told(evaluation: FraudEvaluation) -> Check:
    candidate = evaluation.candidate
    roc = "ROC-AUC is not defined" if candidate.roc_auc is None else f"ROC-AUC {candidate.roc_auc:.4f}"
    return Check(
        True,
        f"The {evaluation.choice} model is the choice of the validation time: PR-AUC {candidate.pr_auc:.4f}, "
        f"{roc} on {candidate.n} transactions with {candidate.frauds} frauds.",
    )


def _beats_baseline(candidate: FraudMetrics, baseline: FraudMetrics) -> Check:
    passed = candidate.pr_auc > baseline.pr_auc
    relation = "above" if passed else "not above"
    return Check(
        passed,
        f"PR-AUC {candidate.pr_auc:.4f} is {relation} the share of frauds, {baseline.pr_auc:.4f}.",
        "gate.beat_baseline",
        _BETTER,
    )


def _holds_against_champion(candidate: FraudMetrics, champion: FraudMetrics, tolerance: float) -> Check:
    passed = candidate.pr_auc >= champion.pr_auc * (1.0 - tolerance)
    relation = "at least" if passed else "below"
    less = f" less {tolerance:.1%}" if tolerance else ""
    return Check(
        passed,
        f"PR-AUC {candidate.pr_auc:.4f} is {relation} the champion's {champion.pr_auc:.4f}{less}.",
        "gate.beat_champion",
        _KEEP,
    )


def _is_good_enough(candidate: FraudMetrics, least: float) -> Check:
    passed = candidate.pr_auc >= least
    relation = "reaches" if passed else "is below"
    return Check(
        passed,
        f"PR-AUC {candidate.pr_auc:.4f} {relation} the {least:g} that the gate asks for.",
        "gate.min_pr_auc",
        _BETTER,
    )
