"""One scale of severity: the threshold of every detector is where a workload's is, and decisions stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.plan import AlertRoute
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.detectors.catalogue import ALGORITHMS, TABULAR
from watchkeeper.detectors.factory import new_detector
from watchkeeper.detectors.protocol.calibration import severity_of
from watchkeeper.detectors.scorer import RowScorer
from watchkeeper.detectors.streaming.detector import score_series
from watchkeeper.detectors.streaming.fleet import Fleet
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.spec.alerting import Route

RARITIES = st.lists(st.floats(0.0, 9.9), min_size=1, max_size=50)
SHARE_OF_THE_SCALE_BEFORE = 20.0 * 10.0
"""Severity was this times anomaly_score: streaming detectors alerted at 75 of it, tabular ones at 60."""


def spiky(seed: int, rows: int = 3000, columns: int = 1) -> np.ndarray:
    generator = np.random.default_rng(seed)
    values = 10 * np.sin(np.arange(rows) / 46)[:, np.newaxis] + generator.normal(size=(rows, columns))
    for row in generator.integers(300, rows, 8):
        values[row, generator.integers(columns)] += generator.choice([-1, 1]) * generator.uniform(3, 60)
    values[generator.integers(rows, size=9), 0] = np.nan
    return values


@given(RARITIES, st.floats(0.0, 9.9))
def test_severity_rises_with_rarity_and_is_seventy_from_the_threshold_on(
    found: list[float], threshold: float
) -> None:
    rarity = np.sort(found)
    severity = severity_of(rarity, threshold, rarity > threshold)
    assert (np.diff(severity) >= 0).all()
    assert ((severity >= 0) & (severity <= 100)).all()
    np.testing.assert_array_equal(severity >= THRESHOLD_SEVERITY, rarity > threshold)
    written = [float(format(value, ".6g")) for value in severity]
    np.testing.assert_array_equal(np.array(written) >= THRESHOLD_SEVERITY, rarity > threshold)


@pytest.mark.parametrize("threshold", [1.5, 3.0, 3.75])
def test_a_detector_and_a_workload_call_the_same_score_as_severe(threshold: float) -> None:
    shares = (np.arange(200_000) + 1.0) / 200_000
    workload = fit_severity((-np.log10(shares)).tolist(), threshold)
    for rarity in (0.05, 0.5, 1.0, 0.7 * threshold, 1.1 * threshold, 1.6 * threshold, 9.0):
        detector = severity_of(np.array([rarity]), threshold, np.array([rarity >= threshold]))[0]
        assert detector == pytest.approx(workload.severity(rarity), abs=0.5)


@pytest.mark.parametrize("columns", [1, 3])
def test_the_streaming_detector_alerts_where_it_did_at_seventy_five_of_the_scale_before(columns: int) -> None:
    alerts = 0
    for seed in range(8):
        values = spiky(seed, columns=columns)
        of_file = RowScorer("watchkeeper").score(np.arange(3000.0), values)
        for scores in (score_series(None, values), of_file):
            before = SHARE_OF_THE_SCALE_BEFORE * scores.anomaly_score >= 75.0
            np.testing.assert_array_equal(scores.is_anomaly, before)
            np.testing.assert_array_equal(scores.severity >= THRESHOLD_SEVERITY, before)
        alerts += before.sum()
    assert alerts > 20


def test_a_fleet_alerts_where_it_did_at_seventy_five_of_the_scale_before() -> None:
    fleet = Fleet()
    series = fleet.join(6)
    alerts = 0
    for row in spiky(3, columns=6):
        scores = fleet.update(series, row)
        before = SHARE_OF_THE_SCALE_BEFORE * scores.anomaly_score >= 75.0
        np.testing.assert_array_equal(scores.is_anomaly, before)
        np.testing.assert_array_equal(scores.severity >= THRESHOLD_SEVERITY, before)
        alerts += before.sum()
    assert alerts > 3


@pytest.mark.parametrize("algorithm", TABULAR)
def test_a_tabular_detector_alerts_where_it_did_at_sixty_of_the_scale_before(algorithm: str) -> None:
    rows = spiky(5, columns=3)
    rows[2000] = [300.0, -400.0, 500.0]
    detector = new_detector(algorithm).fit(rows[:1000])
    if algorithm not in ("dbscan", "one_class_svm"):  # which have a criterion of their own
        assert detector.threshold_ == detector.tail_.raw_at(60.0 / 20.0)
    before = detector.raw_scores(rows) > detector.threshold_
    np.testing.assert_array_equal(detector.severity(rows) >= THRESHOLD_SEVERITY, before)
    assert before[2000] or algorithm == "copod"  # whose score ends at the extremes of the fit


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_row_of_a_file_is_an_anomaly_from_the_severity_that_is_asked_for(algorithm: str) -> None:
    seconds, values = np.arange(3000.0), spiky(7, columns=2)
    found = {}
    for alert_severity in (40.0, THRESHOLD_SEVERITY, 90.0):
        scorer = RowScorer(algorithm, alert_severity=alert_severity)
        scorer.learn(values[:1000])
        scores = scorer.score(seconds, values)
        np.testing.assert_array_equal(scores.is_anomaly, scores.severity >= alert_severity)
        found[alert_severity] = scores
    np.testing.assert_array_equal(found[40.0].severity, found[90.0].severity)
    default = RowScorer(algorithm)
    default.learn(values[:1000])
    np.testing.assert_array_equal(default.score(seconds, values).is_anomaly, found[70.0].is_anomaly)


def test_routes_begin_at_the_threshold_unless_they_say_otherwise() -> None:
    assert AlertRoute("operators").severity_at_least == THRESHOLD_SEVERITY
    assert Route(channel="operators").severity_at_least == THRESHOLD_SEVERITY
    assert replace(AlertRoute("operators"), severity_at_least=90.0) != AlertRoute("operators")
