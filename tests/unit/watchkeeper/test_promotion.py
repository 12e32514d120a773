from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from watchkeeper.core.plan import GatePlan
from watchkeeper.judgement.evaluation import AlertShares, Evaluation, Metrics
from watchkeeper.judgement.promotion import decide_promotion
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import Threshold


def metrics(**changes: Any) -> Metrics:
    values: dict[str, Any] = {
        "threshold": 1.0,
        "n": 100,
        "anomalies": 3,
        "alerts_per_week": 9.0,
        "distinct_scores": 80,
        "false_alerts_per_week": 2.0,
        "pr_auc": 0.5,
    }
    return Metrics(**{**values, **changes})


def evaluation(**changes: Any) -> Evaluation:
    values: dict[str, Any] = {
        "workload": "w",
        "run_id": "r",
        "labelled": True,
        "threshold": Threshold("mean_sigma", 1.0, {}, 10),
        "severity": fit_severity([0.1, 0.2], 1.0),
        "candidate": metrics(),
        "baseline": metrics(pr_auc=0.2),
        "champion": metrics(pr_auc=0.45),
        "step_scales": {},
        "n_calibrate": 10,
    }
    return Evaluation(**{**values, **changes})


def test_approves_what_is_better_and_says_why() -> None:
    decision = decide_promotion(evaluation(), GatePlan())

    assert decision.approved
    assert decision.reasons == [
        "80 different scores on 100 rows.",
        "2.00 false alerts a week, within the budget of 7 for all series together.",
        "PR-AUC 0.5000 is above the trivial detector's 0.2000.",
        "PR-AUC 0.5000 is at least the champion's 0.4500 less 0.",
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"candidate": metrics(false_alerts_per_week=7.5)},
            "gate.max_alerts_per_week: 7.50 false alerts a week, over the budget of 7 for all series "
            "together.",
        ),
        ({"candidate": metrics(distinct_scores=1)}, "All 100 rows of the test part have the same score."),
        (
            {"baseline": metrics()},
            "gate.beat_baseline: PR-AUC 0.5000 is not above the trivial detector's 0.5000.",
        ),
        (
            {"champion": metrics(pr_auc=0.6)},
            "gate.beat_champion: PR-AUC 0.5000 is below the champion's 0.6000 less 0.",
        ),
    ],
)
def test_rejects_for_one_reason(changes: dict[str, Any], reason: str) -> None:
    decision = decide_promotion(evaluation(**changes), GatePlan())

    assert (decision.approved, decision.reasons[0]) == (False, reason)
    (ways_on,) = decision.reasons[1:]
    assert ways_on.startswith("Ways on: ")
    assert "; or " in ways_on


def test_a_budget_that_is_overrun_says_which_series_do_it_and_how_many_alerts_there_are() -> None:
    shares = AlertShares({"flow|hall=2": 9.333, "flow|hall=1": 2.333}, 2, 6)
    noisy = evaluation(candidate=metrics(false_alerts_per_week=11.666), alert_shares=shares)

    said, ways_on = decide_promotion(noisy, GatePlan()).reasons

    assert said.endswith("together. Of them: flow|hall=2 9.33, flow|hall=1 2.33; 4 of 6 series none.")
    assert "`exclude:` of a series; or gate.max_alerts_per_week: 12, if" in ways_on


def test_names_every_reason_at_once() -> None:
    worse = evaluation(candidate=metrics(pr_auc=0.1, false_alerts_per_week=50.0, distinct_scores=1))

    assert len(decide_promotion(worse, GatePlan()).reasons) == 8


def test_a_little_worse_than_the_champion_is_within_the_tolerance() -> None:
    close = evaluation(champion=metrics(pr_auc=0.55))

    assert decide_promotion(close, GatePlan(tolerance=0.05)).approved
    assert not decide_promotion(close, GatePlan(tolerance=0.04)).approved


def test_the_first_model_has_no_champion_to_beat() -> None:
    assert decide_promotion(evaluation(champion=None), GatePlan()).approved


def test_says_why_the_model_in_service_was_not_compared() -> None:
    found = decide_promotion(evaluation(champion=None, not_compared="it is of another kind"), GatePlan())

    assert found.approved
    assert found.reasons[-1] == "Not compared with the model in service: it is of another kind."


def test_comparisons_can_be_switched_off() -> None:
    worse = evaluation(candidate=metrics(pr_auc=0.1))

    assert decide_promotion(worse, GatePlan(beat_baseline=False, beat_champion=False)).approved


def test_without_labels_only_the_budget_and_the_scores_count_and_it_says_so() -> None:
    unlabelled = metrics(pr_auc=None, false_alerts_per_week=None, alerts_per_week=6.0)
    blind = evaluation(labelled=False, candidate=unlabelled, baseline=unlabelled, champion=unlabelled)

    decision = decide_promotion(blind, GatePlan())

    assert decision.approved
    assert "no labelled anomaly" in decision.reasons[-1]
    over = dataclasses.replace(blind, candidate=dataclasses.replace(unlabelled, alerts_per_week=8.0))
    assert (
        decide_promotion(over, GatePlan())
        .reasons[0]
        .startswith("gate.max_alerts_per_week: 8.00 alerts a week, over the budget of 7")
    )


@pytest.mark.parametrize("budget", [7.0, 1.0])
def test_series_that_training_has_not_seen_are_named_whatever_is_decided(budget: float) -> None:
    newest = {f"flow|hall={number:02}": f"2026-01-{number:02}T00:00:00Z" for number in range(1, 13)}

    reasons = decide_promotion(evaluation(left_out=newest), GatePlan(max_alerts_per_week=budget)).reasons

    assert reasons[-1].startswith(
        "12 series not counted, training has too few of their intervals: flow|hall=12"
    )
    assert reasons[-1].endswith("flow|hall=03 (since 2026-01-03T00:00:00Z) and 2 more.")
