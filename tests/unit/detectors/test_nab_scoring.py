"""The benchmark's scorer against the benchmark's published results and against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.quality.baselines import windowed_gaussian
from benchmarks.quality.corpus import LabelledSeries, load_corpus, load_json
from benchmarks.quality.nab_scoring import (
    PROFILES,
    best_threshold,
    gain_curve,
    normalized_score,
    score_corpus,
    score_with_threshold_from_other_files,
)
from benchmarks.quality.threshold_free import pr_auc, summarize_alerts, vus_pr

STANDARD, LOW_FP, LOW_FN = PROFILES


@pytest.fixture(scope="module")
def corpus() -> list[LabelledSeries]:
    try:
        return load_corpus()
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture
def series() -> LabelledSeries:
    """1,000 hourly rows with one window of 100."""
    timestamps = np.datetime64("2026-01-01T00:00:00", "s") + np.arange(1000) * np.timedelta64(3600, "s")
    return LabelledSeries("made/up.csv", timestamps, np.zeros(1000), ((500, 599),))


def test_windowed_gaussian_gets_its_published_score_in_every_profile(corpus: list[LabelledSeries]) -> None:
    published = load_json("results/final_results.json")["windowedGaussian"]
    scores = [windowed_gaussian(series.values) for series in corpus]
    for profile in PROFILES:
        assert score_corpus(corpus, scores, profile)[0] == pytest.approx(published[profile.name], abs=1e-6)


def test_profiles_are_the_published_ones(corpus: list[LabelledSeries]) -> None:
    published = load_json("config/profiles.json")
    for profile in PROFILES:
        weights = published[profile.name]["CostMatrix"]
        expected = (weights["tpWeight"], weights["fpWeight"], weights["fnWeight"])
        assert (profile.tp_weight, profile.fp_weight, profile.fn_weight) == expected


def test_detecting_nothing_is_worth_zero(series: LabelledSeries) -> None:
    for profile in PROFILES:
        assert score_corpus([series], [np.zeros(1000)], profile)[0] == pytest.approx(0.0)


def test_the_first_row_of_every_window_alone_is_worth_a_hundred(series: LabelledSeries) -> None:
    scores = np.zeros(1000)
    scores[500] = 1.0
    for profile in PROFILES:
        assert score_corpus([series], [scores], profile)[0] == pytest.approx(100.0)


def test_a_false_alarm_far_from_a_window_costs_its_weight(series: LabelledSeries) -> None:
    scores = np.zeros(1000)
    scores[[300, 500]] = 1.0
    assert score_corpus([series], [scores], STANDARD)[0] == pytest.approx(100 * (2 - 0.11) / 2)


def test_only_the_best_detection_of_a_window_counts(series: LabelledSeries) -> None:
    scores = np.zeros(1000)
    scores[500:600] = 1.0
    assert score_corpus([series], [scores], STANDARD)[0] == pytest.approx(100.0)


def test_probation_is_not_scored(series: LabelledSeries) -> None:
    scores = np.zeros(1000)
    scores[:150] = 1.0
    scores[500] = 1.0
    assert score_corpus([series], [scores], STANDARD)[0] == pytest.approx(100.0)


def test_threshold_from_other_files_is_never_better_than_the_best_on_the_corpus() -> None:
    generator = np.random.default_rng(3)
    timestamps = np.datetime64("2026-01-01T00:00:00", "s") + np.arange(600) * np.timedelta64(300, "s")
    series = [
        LabelledSeries(
            f"made/{number}.csv", timestamps, np.zeros(600), ((200 + 20 * number, 260 + 20 * number),)
        )
        for number in range(8)
    ]
    scores = [generator.random(600) + one.labels * 0.1 for one in series]
    best = score_corpus(series, scores, STANDARD)[0]
    assert (score_with_threshold_from_other_files(series, scores, STANDARD, draws=5) <= best + 1e-9).all()


def test_curve_agrees_with_its_own_threshold(series: LabelledSeries) -> None:
    scores = np.random.default_rng(0).random(1000)
    curve = gain_curve(series, scores, LOW_FN)
    threshold = best_threshold([curve])
    assert normalized_score([curve], [threshold], LOW_FN) == score_corpus([series], [scores], LOW_FN)[0]


def test_refuses_scores_that_are_not_finite(series: LabelledSeries) -> None:
    scores = np.zeros(1000)
    scores[3] = np.nan
    with pytest.raises(ValueError, match=r"made/up\.csv"):
        gain_curve(series, scores, LOW_FP)


def test_perfect_scores_have_perfect_threshold_free_accuracy(series: LabelledSeries) -> None:
    assert pr_auc(series.labels, series.labels.astype(float)) == pytest.approx(1.0)


def test_constant_scores_have_the_accuracy_of_chance(series: LabelledSeries) -> None:
    assert pr_auc(series.labels, np.ones(1000)) == pytest.approx(0.1)
    assert vus_pr(series, np.ones(1000), buffer_step=25) == pytest.approx(0.14, abs=0.05)


def test_volume_under_the_surface_follows_the_definition_on_a_small_case(series: LabelledSeries) -> None:
    scores = np.random.default_rng(5).random(1000) + series.labels
    assert vus_pr(series, scores, buffer_step=5) == pytest.approx(
        _reference_vus_pr(series, scores, 5), abs=1e-12
    )


def test_alerts_are_counted_by_window_and_outside(series: LabelledSeries) -> None:
    alerts = np.zeros(1000, dtype=bool)
    alerts[[10, 300, 510, 520]] = True
    summary = summarize_alerts(series, alerts)
    assert (summary.found, summary.false_alerts) == (1, 1)
    assert summary.f1 == pytest.approx(2 / 3)
    assert summary.weeks == pytest.approx(849 / 168)


def _reference_vus_pr(series: LabelledSeries, scores: np.ndarray, buffer_step: int) -> float:
    """The definition, threshold by threshold; 125 is the longest buffer of a series without a period."""
    (first, last), rows = series.windows[0], len(scores)
    areas = []
    for buffer in range(0, 126, buffer_step):
        weights = np.zeros(rows)
        for row in range(rows):
            distance = max(first - row, row - last, 0)
            if distance <= buffer // 2:
                weights[row] = np.sqrt(1 - distance / buffer) if distance else 1.0
        previous, area = 0.0, 0.0
        for rank in np.linspace(0, rows - 1, 250).astype(int):
            detected = scores >= np.sort(scores)[::-1][rank]
            hits = weights[detected].sum()
            slope = weights[detected & ~series.labels].sum()
            recall = min(hits / ((100 + 100 + slope) / 2), 1.0)
            recall *= bool(detected[max(first - buffer // 2, 0) : last + buffer // 2 + 1].any())
            area += (recall - previous) * hits / detected.sum()
            previous = recall
        areas.append(area)
    return float(np.mean(areas))
