"""Areas, thresholds and parts in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.features import Floats
from watchkeeper.fraud.measures import Ranking, areas, best_f1, confusion, simplest_of_the_best
from watchkeeper.fraud.plan import FraudSplitPlan, FraudThresholdPlan
from watchkeeper.fraud.split import NONE, TEST, TRAIN, VALIDATION, boundaries_of, parts_of
from watchkeeper.fraud.table import Labels
from watchkeeper.fraud.thresholds import fit_threshold

DAY = 86_400.0
N = 400
RANDOM = np.random.default_rng(0)
FRAUD = RANDOM.random(N) < 0.2
SCORES: Floats = np.clip(RANDOM.normal(0.3 + 0.3 * FRAUD, 0.2), 0.0, 1.0).round(2).astype(np.float64)
TIMES = np.sort(RANDOM.random(N)) * 10 * DAY
AMOUNTS = RANDOM.gamma(2.0, 30.0, N)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=40).filter(
        lambda rows: {True, False} <= {row[0] for row in rows if row[2]}
    )
)
def test_areas_are_those_of_scikit_learn_with_ties_and_weights(rows: list[tuple[bool, int, int]]) -> None:
    fraud, scores = np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows])
    weights = np.array([float(row[2]) for row in rows])
    ranking = Ranking.of(fraud, scores)
    assert ranking.roc_auc(weights) == pytest.approx(roc_auc_score(fraud, scores, sample_weight=weights))
    assert ranking.pr_auc(weights) == pytest.approx(
        average_precision_score(fraud, scores, sample_weight=weights)
    )


def test_an_interval_holds_the_area_and_narrows_with_days() -> None:
    roc, pr = areas(FRAUD, SCORES, TIMES)
    assert roc.low < roc.value < roc.high
    assert pr.low < pr.value < pr.high
    twice = [np.concatenate([part] * 9) for part in (FRAUD, SCORES)]
    longer = np.concatenate([TIMES + 10 * DAY * number for number in range(9)])
    assert (
        areas(twice[0], twice[1], longer)[1].high - areas(twice[0], twice[1], longer)[1].low
        < pr.high - pr.low
    )


def test_a_day_is_drawn_as_a_whole() -> None:
    one_day = np.zeros(N)
    roc, _ = areas(FRAUD, SCORES, one_day)
    assert roc.low == roc.value == roc.high


def test_the_best_f1_is_that_of_its_threshold() -> None:
    f1, threshold = best_f1(FRAUD, SCORES)
    assert f1 == pytest.approx(f1_score(FRAUD, threshold <= SCORES))
    assert f1 >= max(f1_score(FRAUD, other <= SCORES) for other in np.unique(SCORES)) - 1e-12
    hits, alarms, misses, rest = confusion(FRAUD, threshold <= SCORES)
    assert f1 == pytest.approx(2 * hits / (2 * hits + alarms + misses))
    assert hits + alarms + misses + rest == N


def test_of_models_that_differ_by_chance_the_simplest_is_taken() -> None:
    noise = np.random.default_rng(1)
    worse, alike, best = (SCORES + noise.normal(0.0, spread, N) for spread in (2.0, 0.02, 0.01))
    assert simplest_of_the_best(FRAUD, [worse, alike, best], TIMES) == 1
    assert simplest_of_the_best(FRAUD, [best, alike, worse], TIMES) == 0


def test_a_model_that_is_better_on_every_day_is_taken_though_it_is_not_simple() -> None:
    better = SCORES + 0.2 * FRAUD
    assert Ranking.of(FRAUD, better).pr_auc() > Ranking.of(FRAUD, SCORES).pr_auc()
    assert simplest_of_the_best(FRAUD, [SCORES, better], TIMES) == 1


def test_a_budget_of_alerts_is_kept_and_used() -> None:
    plan = FraudThresholdPlan("alert_budget", alerts_per_day=6.0)
    threshold = fit_threshold(plan, FRAUD, SCORES, TIMES, AMOUNTS)
    allowed = 6.0 * (TIMES[-1] - TIMES[0]) / DAY
    assert 0 < (threshold <= SCORES).sum() <= allowed
    lower = SCORES[threshold > SCORES].max()
    assert (lower <= SCORES).sum() > int(allowed)


def test_a_budget_without_an_alert_flags_nothing() -> None:
    plan = FraudThresholdPlan("alert_budget", alerts_per_day=0.0)
    assert not (fit_threshold(plan, FRAUD, SCORES, TIMES, AMOUNTS) <= SCORES).any()


@pytest.mark.parametrize("cost_of_miss", [None, 80.0])
def test_no_threshold_is_cheaper_than_that_of_the_rule_cost(cost_of_miss: float | None) -> None:
    plan = FraudThresholdPlan("cost", cost_of_miss=cost_of_miss, cost_of_alarm=10.0)
    miss = AMOUNTS if cost_of_miss is None else np.full(N, cost_of_miss)

    def cost(threshold: float) -> float:
        flagged = threshold <= SCORES
        return float(miss[FRAUD & ~flagged].sum() + 10.0 * (flagged & ~FRAUD).sum())

    chosen = cost(fit_threshold(plan, FRAUD, SCORES, TIMES, AMOUNTS))
    assert chosen <= min(cost(other) for other in [*np.unique(SCORES), 2.0]) + 1e-9


def test_alarms_that_cost_more_than_they_save_are_not_raised() -> None:
    plan = FraudThresholdPlan("cost", cost_of_miss=0.01, cost_of_alarm=1000.0)
    assert fit_threshold(plan, FRAUD, 1.0 - SCORES, TIMES, AMOUNTS) > 1.0 - SCORES.min()


def test_a_rule_without_its_number_and_a_time_without_fraud_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="alerts_per_day"):
        fit_threshold(FraudThresholdPlan("alert_budget"), FRAUD, SCORES, TIMES, AMOUNTS)
    with pytest.raises(InvalidInputError, match="no fraud among the 400"):
        fit_threshold(FraudThresholdPlan(), np.zeros(N, bool), SCORES, TIMES, AMOUNTS)


def test_a_label_found_out_after_a_boundary_neither_trains_nor_chooses() -> None:
    times = np.arange(100.0) * DAY
    verdicts = np.where(np.arange(100) % 10 == 0, 0, 1).astype(np.int8)
    labels = Labels(verdicts, times + 7 * DAY)
    boundaries = boundaries_of(times, FraudSplitPlan(0.7, 0.15))
    assert boundaries == (70 * DAY, 85 * DAY)
    parts = parts_of(times, labels, boundaries)
    assert parts[[1, 63, 64, 69, 71, 78, 79, 84, 85, 99]].tolist() == [
        *(TRAIN, TRAIN, NONE, NONE, VALIDATION, VALIDATION, NONE, NONE, TEST, TEST)
    ]
    assert (parts[verdicts == 0] == NONE).all()
