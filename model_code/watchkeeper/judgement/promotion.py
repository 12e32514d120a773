"""The gate: whether a candidate may serve, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watchkeeper.core.plan import GatePlan
from watchkeeper.judgement.evaluation import NAMED_SERIES, Evaluation, JudgedBy, Metrics


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
    key: str = ""
    """Of the spec, where the gate asks for it."""
    ways_on: str = ""
    """What a user can do about it if it failed."""


def decision_of(checks: Sequence[Check]) -> Decision:
    """Approve a candidate that passed every check."""
    failed = [check for check in checks if not check.passed]
    if not failed:
        return Decision(True, [check.sentence for check in checks])
    sentences = [f"{check.key}: {check.sentence}" if check.key else check.sentence for check in failed]
    ways_on = [f"Ways on: {check.ways_on}." for check in failed if check.ways_on]
    return Decision(False, [*sentences, *ways_on])


def decide_promotion(evaluation: Evaluation, gate: GatePlan) -> Decision:
    """Decide on an evaluated candidate.

    Always: its scores differ from row to row, and its alerts are within the weekly budget; with labels,
    only alerts outside the labelled windows count. With labelled anomalies in the test part also, where a
    detector is judged by points: its PR-AUC is at least the champion's less the tolerance, and above that of
    the trivial detector. By events: it finds a window, and its F1 by event is at least the trivial detector's
    and the champion's less the tolerance; few events make ties common. Series that training has not seen
    count nowhere; the reasons name them. They also say why a model in service was not compared.
    """
    checks = [_not_degenerate(evaluation.candidate), _within_budget(evaluation, gate)]
    if not evaluation.labelled:
        checks.append(
            Check(True, "The test part has no labelled anomaly: compared with neither champion nor baseline.")
        )
    else:
        figure = _BY[evaluation.judged_by]
        if gate.beat_baseline:
            checks.append(figure.beats(evaluation.candidate, evaluation.baseline))
        if gate.beat_champion and evaluation.champion is not None:
            checks.append(figure.holds(evaluation.candidate, evaluation.champion, gate.tolerance))
    decision = decision_of(checks)
    return Decision(
        decision.approved, [*decision.reasons, *_not_compared(evaluation), *_left_out(evaluation)]
    )


def _not_compared(evaluation: Evaluation) -> list[str]:
    if evaluation.not_compared is None:
        return []
    return [f"Not compared with the model in service: {evaluation.not_compared}."]


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


@dataclass(frozen=True)
class _Figure:
    """What candidate, baseline and champion are compared by."""

    name: str
    of: Callable[[Metrics], float | None]
    ties_pass: bool
    """Whether as good as the trivial detector is good enough; nothing found never is."""

    def beats(self, candidate: Metrics, baseline: Metrics) -> Check:
        new, trivial = self._value(candidate), self._value(baseline)
        if self.ties_pass:
            passed = new > 0.0 and new >= trivial
            relation = "at least" if passed else "0 or below"
        else:
            passed = new > trivial
            relation = "above" if passed else "not above"
        return Check(
            passed,
            f"{self.name} {new:.4f} is {relation} the trivial detector's {trivial:.4f}.",
            "gate.beat_baseline",
            "a longer history or labels that fit it, then train again; or gate.beat_baseline: false",
        )

    def holds(self, candidate: Metrics, champion: Metrics, tolerance: float) -> Check:
        new, old = self._value(candidate), self._value(champion)
        passed = new >= old - tolerance
        relation = "at least" if passed else "below"
        return Check(
            passed,
            f"{self.name} {new:.4f} is {relation} the champion's {old:.4f} less {tolerance:g}.",
            "gate.beat_champion",
            "keep the model that serves, which is the better one on this history; or a higher "
            "gate.tolerance, then deploy and train again",
        )

    def _value(self, metrics: Metrics) -> float:
        return self.of(metrics) or 0.0


def _not_degenerate(candidate: Metrics) -> Check:
    if candidate.distinct_scores < 2:
        return Check(
            False,
            f"All {candidate.n} rows of the test part have the same score.",
            ways_on="a history in which the measures vary, with every series in it; or another detector",
        )
    return Check(True, f"{candidate.distinct_scores} different scores on {candidate.n} rows.")


def _within_budget(evaluation: Evaluation, gate: GatePlan) -> Check:
    candidate = evaluation.candidate
    kind, alerts = "alerts", candidate.alerts_per_week
    if candidate.false_alerts_per_week is not None:
        kind, alerts = "false alerts", candidate.false_alerts_per_week
    passed = alerts <= gate.max_alerts_per_week
    relation = "within" if passed else "over"
    sentence = (
        f"{alerts:.2f} {kind} a week, {relation} the budget of {gate.max_alerts_per_week:g} for all "
        "series together."
    )
    if passed:
        return Check(True, sentence)
    fewer = f"{_HIGHER.get(evaluation.threshold.rule, 'a higher threshold')}, or `exclude:` of a series"
    return Check(
        False,
        f"{sentence}{_shares(evaluation)}",
        "gate.max_alerts_per_week",
        f"fewer alerts by {fewer}; or gate.max_alerts_per_week: {math.ceil(alerts)}, if so many are "
        "welcome; then deploy and train again",
    )


def _shares(evaluation: Evaluation) -> str:
    shares = evaluation.alert_shares
    if shares is None or not shares.by_series:
        return ""
    named = ", ".join(f"{series} {alerts:.2f}" for series, alerts in shares.by_series.items())
    more = shares.n_alerting - len(shares.by_series)
    others = shares.n_series - shares.n_alerting
    return (
        f" Of them: {named}{f', {more} more series the rest' if more else ''}"
        f"{f'; {others} of {shares.n_series} series none' if others else ''}."
    )


_HIGHER = {
    "mean_sigma": "a higher threshold.k",
    "quantile": "a higher threshold.quantile",
    "peaks_over_threshold": "a lower threshold.risk",
    "adaptive": "a lower threshold.risk",
    "rarity": "a higher threshold.rarity",
}
"""How each rule raises fewer alerts."""

_BY: dict[JudgedBy, _Figure] = {
    "points": _Figure("PR-AUC", lambda metrics: metrics.pr_auc, ties_pass=False),
    "events": _Figure("F1 by event", lambda metrics: metrics.event_f1, ties_pass=True),
}
