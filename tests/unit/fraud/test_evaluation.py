"""The gate of a fraud workload decides on PR-AUC, and says why."""

from __future__ import annotations

import dataclasses

import pytest

from watchkeeper.fraud.evaluation import FraudEvaluation, FraudMetrics, decide_fraud
from watchkeeper.fraud.plan import FraudGatePlan

METRICS = FraudMetrics(n=1000, frauds=20, pr_auc=0.5, roc_auc=0.9)
BASELINE = dataclasses.replace(METRICS, pr_auc=0.02, roc_auc=0.5)
EVALUATION = FraudEvaluation(
    workload="card_fraud",
    run_id="run",
    schema_hash="hash",
    choice="graph",
    threshold=0.3,
    candidate=METRICS,
    baseline=BASELINE,
    rows={"graph": METRICS},
    champion=None,
    n_train=5000,
)


def approved(gate: FraudGatePlan, **changes: object) -> bool:
    return decide_fraud(dataclasses.replace(EVALUATION, **changes), gate).approved  # type: ignore[arg-type]


def test_a_model_that_beats_the_share_of_frauds_is_approved() -> None:
    decision = decide_fraud(EVALUATION, FraudGatePlan())
    assert decision.approved
    assert any("graph model" in reason and "0.5000" in reason for reason in decision.reasons)


def test_a_model_that_knows_nothing_is_rejected() -> None:
    assert not approved(FraudGatePlan(), candidate=BASELINE)
    assert approved(FraudGatePlan(beat_baseline=False), candidate=BASELINE)


@pytest.mark.parametrize(
    ("champion", "tolerance", "expected"), [(0.5, 0.0, True), (0.51, 0.0, False), (0.51, 0.05, True)]
)
def test_the_champion_is_held_against_with_its_tolerance(
    champion: float, tolerance: float, expected: bool
) -> None:
    before = dataclasses.replace(METRICS, pr_auc=champion)
    assert approved(FraudGatePlan(tolerance=tolerance), champion=before) is expected
    assert approved(FraudGatePlan(beat_champion=False), champion=before)


def test_a_limit_is_a_limit() -> None:
    assert approved(FraudGatePlan(min_pr_auc=0.5))
    assert not approved(FraudGatePlan(min_pr_auc=0.51))


def test_a_document_of_the_kind_is_read_back() -> None:
    assert FraudEvaluation.from_json(EVALUATION.to_json()) == EVALUATION
