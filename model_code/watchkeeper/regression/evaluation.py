"""The result of evaluating a regression model: what the gate decides on, how it decides, and what a
release is made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document
from watchkeeper.judgement.promotion import Check, Decision, decision_of
from watchkeeper.regression.plan import REGRESSION, RegressionGatePlan

EVALUATION_VERSION = 1


@dataclass(frozen=True)
class RegressionMetrics:
    """How one model predicted the held-back rows, in the target's unit."""

    n: int
    """Rows."""
    rmse: float
    """Root of the mean squared error."""
    mae: float
    """Mean absolute error."""
    r2: float | None
    """Coefficient of determination; None where all targets are equal."""


@dataclass(frozen=True)
class RegressionEvaluation(Document, name="evaluation", indent=2):
    """The document `evaluation.json` of a regression workload."""

    workload: str
    run_id: str
    schema_hash: str
    """See `watchkeeper.regression.manifest.schema_hash`."""
    candidate: RegressionMetrics
    baseline: RegressionMetrics
    """The mean of the training part, whatever the row."""
    champion: RegressionMetrics | None
    """The model in service on the same rows; None where none can answer them."""
    n_train: int
    """Rows that the candidate was trained on."""
    kind: Literal["regression"] = REGRESSION
    version: int = EVALUATION_VERSION


def measure_predictions(targets: Sequence[float], predictions: Sequence[float]) -> RegressionMetrics:
    """Compare predictions with what they should have been.

    Parameters
    ----------
    targets, predictions
        Of the same rows in the same order; at least one.

    Examples
    --------
    >>> measure_predictions([1.0, 3.0], [2.0, 2.0])
    RegressionMetrics(n=2, rmse=1.0, mae=1.0, r2=0.0)
    """
    errors = [prediction - target for target, prediction in zip(targets, predictions, strict=True)]
    n = len(errors)
    mean = math.fsum(targets) / n
    spread = math.fsum((target - mean) ** 2 for target in targets)
    squared = math.fsum(error**2 for error in errors)
    return RegressionMetrics(
        n=n,
        rmse=math.sqrt(squared / n),
        mae=math.fsum(map(abs, errors)) / n,
        r2=1.0 - squared / spread if spread else None,
    )


def decide_regression(evaluation: RegressionEvaluation, gate: RegressionGatePlan) -> Decision:
    """Decide on an evaluated candidate by its RMSE on the held-back rows.

    It is below that of the training part's mean, at most the champion's with the tolerance, and at most
    `max_rmse`, as far as the gate asks for it.
    """
    candidate = evaluation.candidate
    checks = [_explains(candidate)]
    if gate.beat_baseline:
        checks.append(_beats_baseline(candidate, evaluation.baseline))
    if gate.beat_champion and evaluation.champion is not None:
        checks.append(_holds_against_champion(candidate, evaluation.champion, gate.tolerance))
    if gate.max_rmse is not None:
        checks.append(_within_limit(candidate, gate.max_rmse))
    return decision_of(checks)


_BETTER = "columns or rows that tell more of the target, then train again; or a milder gate"
_KEEP = "keep the model that serves, which is the better one on this table; or a higher gate.tolerance"


def _explains(candidate: RegressionMetrics) -> Check:
    r2 = "R² is not defined" if candidate.r2 is None else f"R² {candidate.r2:.4f}"
    return Check(True, f"RMSE {candidate.rmse:.4f}, MAE {candidate.mae:.4f}, {r2} on {candidate.n} rows.")


def _beats_baseline(candidate: RegressionMetrics, baseline: RegressionMetrics) -> Check:
    passed = candidate.rmse < baseline.rmse
    relation = "below" if passed else "not below"
    return Check(
        passed,
        f"RMSE {candidate.rmse:.4f} is {relation} that of the mean, {baseline.rmse:.4f}.",
        "gate.beat_baseline",
        _BETTER,
    )


def _holds_against_champion(
    candidate: RegressionMetrics, champion: RegressionMetrics, tolerance: float
) -> Check:
    passed = candidate.rmse <= champion.rmse * (1.0 + tolerance)
    relation = "at most" if passed else "above"
    more = f" and {tolerance:.1%} more" if tolerance else ""
    return Check(
        passed,
        f"RMSE {candidate.rmse:.4f} is {relation} the champion's {champion.rmse:.4f}{more}.",
        "gate.beat_champion",
        _KEEP,
    )


def _within_limit(candidate: RegressionMetrics, limit: float) -> Check:
    passed = candidate.rmse <= limit
    relation = "within" if passed else "over"
    return Check(
        passed, f"RMSE {candidate.rmse:.4f} is {relation} the limit of {limit:g}.", "gate.max_rmse", _BETTER
    )
