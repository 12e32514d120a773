"""The gate: whether a candidate may serve, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.core.plan import GatePlan
from watchkeeper.judgement.evaluation import Evaluation, Metrics

NAMED_SERIES = 10
"""Of the series that are left out, how many a decision names."""


@dataclass(frozen=True)
class Decision:
    """What the gate decided."""

    approved: bool
    reasons: list[str]
    """Sentences with the figures in them: every check that failed or, of an approved model, every check; then
    what was not counted."""


@dataclass(frozen=True)
class Check:
    """One thing that a candidate must meet."""

    passed: bool
    sentence: str
    """With the figures in it."""


def decision_of(checks: Sequence[Check]) -> Decision:
    """Approve a candidate that passed every check."""
    failed = [check.sentence for check in checks if not check.passed]
    return Decision(not failed, failed or [check.sentence for check in checks])


def decide_promotion(evaluation: Evaluation, gate: GatePlan) -> Decision:
    """Decide on an evaluated candidate.

    Always: its scores differ from row to row, and its alerts are within the weekly budget; with labels,
    only alerts outside the labelled windows count. With labelled anomalies in the test part also: its
    PR-AUC is at least the champion's less the tolerance, and above that of the trivial detector. Series that
    training has not seen count nowhere; the reasons name them.
    """
    checks = [_not_degenerate(evaluation.candidate), _within_budget(evaluation.candidate, gate)]
    if not evaluation.labelled:
        checks.append(
            Check(True, "The test part has no labelled anomaly: compared with neither champion nor baseline.")
        )
    else:
        if gate.beat_baseline:
            checks.append(_beats_baseline(evaluation))
        if gate.beat_champion and evaluation.champion is not None:
            checks.append(_holds_against_champion(evaluation.candidate, evaluation.champion, gate.tolerance))
    decision = decision_of(checks)
    return Decision(decision.approved, [*decision.reasons, *_left_out(evaluation)])


def _left_out(evaluation: Evaluation) -> list[str]:
    if not evaluation.left_out:
        return []
    newest_first = sorted(evaluation.left_out.items(), key=lambda item: (item[1], item[0]), reverse=True)
    named = ", ".join(f"{series} (since {began})" for series, began in newest_first[:NAMED_SERIES])
    more = len(newest_first) - NAMED_SERIES
    return [
        f"{len(newest_first)} series not counted, training has too few of their intervals: {named}"
        f"{f' and {more} more' if more > 0 else ''}."
    ]


def _not_degenerate(candidate: Metrics) -> Check:
    if candidate.distinct_scores < 2:
        return Check(False, f"All {candidate.n} rows of the test part have the same score.")
    return Check(True, f"{candidate.distinct_scores} different scores on {candidate.n} rows.")


def _within_budget(candidate: Metrics, gate: GatePlan) -> Check:
    kind, alerts = "alerts", candidate.alerts_per_week
    if candidate.false_alerts_per_week is not None:
        kind, alerts = "false alerts", candidate.false_alerts_per_week
    passed = alerts <= gate.max_alerts_per_week
    relation = "within" if passed else "over"
    return Check(
        passed, f"{alerts:.2f} {kind} a week, {relation} the budget of {gate.max_alerts_per_week:g}."
    )


def _beats_baseline(evaluation: Evaluation) -> Check:
    candidate, baseline = _pr_auc(evaluation.candidate), _pr_auc(evaluation.baseline)
    passed = candidate > baseline
    relation = "above" if passed else "not above"
    return Check(passed, f"PR-AUC {candidate:.4f} is {relation} the trivial detector's {baseline:.4f}.")


def _holds_against_champion(candidate: Metrics, champion: Metrics, tolerance: float) -> Check:
    new, old = _pr_auc(candidate), _pr_auc(champion)
    passed = new >= old - tolerance
    relation = "at least" if passed else "below"
    return Check(passed, f"PR-AUC {new:.4f} is {relation} the champion's {old:.4f} less {tolerance:g}.")


def _pr_auc(metrics: Metrics) -> float:
    return 0.0 if metrics.pr_auc is None else metrics.pr_auc
