"""The gate of a regression workload: whether a candidate may serve, and why."""

from __future__ import annotations

from watchkeeper.judgement.promotion import Check, Decision, decision_of
from watchkeeper.regression.evaluation import RegressionEvaluation, RegressionMetrics
from watchkeeper.regression.plan import RegressionGatePlan


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


def _explains(candidate: RegressionMetrics) -> Check:
    r2 = "R² is not defined" if candidate.r2 is None else f"R² {candidate.r2:.4f}"
    return Check(True, f"RMSE {candidate.rmse:.4f}, MAE {candidate.mae:.4f}, {r2} on {candidate.n} rows.")


def _beats_baseline(candidate: RegressionMetrics, baseline: RegressionMetrics) -> Check:
    passed = candidate.rmse < baseline.rmse
    relation = "below" if passed else "not below"
    return Check(passed, f"RMSE {candidate.rmse:.4f} is {relation} that of the mean, {baseline.rmse:.4f}.")


def _holds_against_champion(
    candidate: RegressionMetrics, champion: RegressionMetrics, tolerance: float
) -> Check:
    passed = candidate.rmse <= champion.rmse * (1.0 + tolerance)
    relation = "at most" if passed else "above"
    more = f" and {tolerance:.1%} more" if tolerance else ""
    return Check(passed, f"RMSE {candidate.rmse:.4f} is {relation} the champion's {champion.rmse:.4f}{more}.")


def _within_limit(candidate: RegressionMetrics, limit: float) -> Check:
    passed = candidate.rmse <= limit
    relation = "within" if passed else "over"
    return Check(passed, f"RMSE {candidate.rmse:.4f} is {relation} the limit of {limit:g}.")
