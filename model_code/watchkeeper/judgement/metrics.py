"""Metrics of a detector on held-back rows, and the trivial detector that each one must beat.

Point metrics (precision, recall, F1, PR-AUC) take each labelled interval as one case. A labelled window
is a run of consecutive labelled rows of one series; it is found if at least one of its rows is above the
threshold. An alert is an anomaly that is not within the plan's throttle of the series' alert before it;
it is false if its row is not labelled. An event is a run of anomalies of one series that follow each other
within the throttle; it is a hit if one of them is labelled. Its recall is that of windows.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import ThresholdPlan, WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, parse_instant
from watchkeeper.judgement.adaptation import thresholds_of
from watchkeeper.judgement.budget import alerts_among, fit_plan_threshold
from watchkeeper.judgement.evaluation import (
    NAMED_SERIES,
    AlertShares,
    Evaluation,
    HoldbackRow,
    Metrics,
)
from watchkeeper.judgement.rules import ruled
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import (
    RARITY,
    SECONDS_PER_WEEK,
    Threshold,
    expected_alerts_per_week,
)
from watchkeeper.telemetry.expectation import step_scale_of


def evaluate(
    rows: Sequence[HoldbackRow],
    candidate: Sequence[float],
    champion: Sequence[float] | None,
    step_scales: Mapping[str, float],
    plan: WorkloadPlan,
    run_id: str,
    champion_threshold: Threshold | None = None,
) -> Evaluation:
    """Compare a candidate with the trivial detector and, where there is one, with the model in service.

    Each one's threshold is fitted by the plan's rule on its own scores of the calibrate part, without the
    rows that are labelled as anomalies; its metrics are of the test part.

    Parameters
    ----------
    rows
        The holdback index, in time order in every series.
    candidate, champion
        Anomaly scores, one for each row, in the same order.
    step_scales
        Of every series; see `watchkeeper.telemetry.expectation`.
    champion_threshold
        By which the champion judges now, where that is what it is compared by: the states of a streaming
        detector give the same scores in every run.

    Raises
    ------
    ContractViolationError
        If there are not as many scores as rows.
    InvalidInputError
        If the calibrate or the test part is too short, or a score is not finite.
    """
    for name, scores in (("candidate", candidate), ("champion", champion)):
        if scores is not None and len(scores) != len(rows):
            raise ContractViolationError(f"{name}: {len(scores)} scores for {len(rows)} rows")
    threshold = _fit(rows, candidate, plan)
    calibrate = _calibration_scores(rows, candidate)
    test = [row for row in rows if row.part == "test"]
    return Evaluation(
        workload=plan.workload,
        run_id=run_id,
        labelled=any(row.label for row in test),
        threshold=threshold,
        severity=fit_severity(calibrate, threshold.value),
        candidate=_metrics(rows, candidate, threshold, plan),
        baseline=_baseline(rows, step_scales, plan),
        champion=None if champion is None else _of(rows, champion, plan, champion_threshold),
        step_scales=dict(step_scales),
        n_calibrate=len(calibrate),
        judged_by="events" if plan.detector.is_streaming else "points",
        alert_shares=_alert_shares(rows, candidate, threshold, plan),
    )


def baseline_scores(rows: Sequence[HoldbackRow], step_scales: Mapping[str, float]) -> list[float]:
    """Return the trivial detector's scores: |value - the series' value before|, in step scales; 0 for the
    first."""
    scores = []
    previous: dict[str, float] = {}
    for row in rows:
        step = abs(row.value - previous.get(row.series, row.value))
        scores.append(step / step_scale_of(row.series, step_scales))
        previous[row.series] = row.value
    return scores


def measure_scores(
    rows: Sequence[HoldbackRow],
    scores: Sequence[float],
    threshold: float,
    plan: WorkloadPlan,
    moved: Sequence[float] | None = None,
) -> Metrics:
    """Return the metrics of scores at a threshold. All rows count, whatever their part.

    Parameters
    ----------
    moved
        The threshold of each row, where they differ; see `watchkeeper.judgement.adaptation.thresholds_of`.

    Raises
    ------
    InvalidInputError
        If there are no rows (reason `too_few_rows`), or a score is not finite (`not_finite`).
    """
    if not rows:
        raise InvalidInputError(
            "the test part has no rows: is the history long enough for the split?", reason="too_few_rows"
        )
    for position, score in enumerate(scores):
        if not math.isfinite(score):
            raise InvalidInputError(f"score {position} is {score}", reason="not_finite")
    judged = [threshold] * len(rows) if moved is None else moved
    anomalous = ruled(rows, [score > limit for score, limit in zip(scores, judged, strict=True)], plan)
    alerts = _alerts(rows, anomalous, plan.alerts.throttle_seconds)
    weeks = _weeks(rows, plan.interval_seconds)
    labelled = [position for position, row in enumerate(rows) if row.label is not None]
    counts = Metrics(
        threshold=threshold,
        n=len(rows),
        anomalies=sum(anomalous),
        alerts_per_week=len(alerts) / weeks,
        distinct_scores=len(set(scores)),
    )
    if not labelled:
        return counts
    truth = [bool(rows[position].label) for position in labelled]
    found, total = _windows(rows, anomalous)
    events = _events(rows, anomalous, plan.alerts.throttle_seconds)
    hits = sum(any(rows[position].label for position in event) for event in events)
    of_events = hits / len(events) if events else 0.0
    of_windows = found / total if total else 0.0
    precision, recall, f1 = precision_recall_f1(truth, [anomalous[position] for position in labelled])
    return Metrics(
        **{
            **vars(counts),
            "false_alerts_per_week": sum(rows[position].label is False for position in alerts) / weeks,
            "precision": precision if any(truth) else None,
            "recall": recall if any(truth) else None,
            "f1": f1 if any(truth) else None,
            "pr_auc": average_precision(truth, [scores[position] for position in labelled]),
            "windows_found": found,
            "windows_total": total,
            "events": len(events),
            "event_precision": of_events if total else None,
            "event_recall": of_windows if total else None,
            "event_f1": _harmonic(of_events, of_windows) if total else None,
        }
    )


def measure_part(
    rows: Sequence[HoldbackRow], scores: Sequence[float], threshold: Threshold, plan: WorkloadPlan, part: str
) -> Metrics:
    """Return the metrics of one part's rows, with the threshold as it would move from the first on."""
    chosen = [(row, score) for row, score in zip(rows, scores, strict=True) if row.part == part]
    known, their = [row for row, _ in chosen], [score for _, score in chosen]
    moved = thresholds_of([row.series for row in known], their, threshold)
    return measure_scores(known, their, threshold.value, plan, moved)


def decided(
    rows: Sequence[HoldbackRow], scores: Sequence[float], threshold: Threshold, plan: WorkloadPlan
) -> list[bool]:
    """Return which rows are anomalies, with the threshold as it would move from the first on, and by the
    plan's rules."""
    moved = thresholds_of([row.series for row in rows], scores, threshold)
    return ruled(rows, [score > limit for score, limit in zip(scores, moved, strict=True)], plan)


def precision_recall_f1(truth: Sequence[bool], predicted: Sequence[bool]) -> tuple[float, float, float]:
    """Return precision, recall and their harmonic mean; 0 where the denominator is 0."""
    hits = sum(actual and guess for actual, guess in zip(truth, predicted, strict=True))
    precision = hits / sum(predicted) if any(predicted) else 0.0
    recall = hits / sum(truth) if any(truth) else 0.0
    return precision, recall, _harmonic(precision, recall)


def average_precision(truth: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Return the area under the precision-recall curve as the sum of precision times the step in recall.

    Equal scores are one point of the curve. The definition is that of scikit-learn's
    `average_precision_score`.

    Returns
    -------
    float or None
        None where nothing is labelled as an anomaly.
    """
    positives = sum(truth)
    if not positives:
        return None
    ranked = sorted(zip(scores, truth, strict=True), key=lambda pair: -pair[0])
    area, hits, seen = 0.0, 0, 0
    for _, group in itertools.groupby(ranked, key=lambda pair: pair[0]):
        labels = [label for _, label in group]
        seen += len(labels)
        hits += sum(labels)
        area += sum(labels) / positives * hits / seen
    return area


def _baseline(rows: Sequence[HoldbackRow], step_scales: Mapping[str, float], plan: WorkloadPlan) -> Metrics:
    """Measure the trivial detector; the rule `rarity` is not for its scores, so the same risk is fitted."""
    rule = plan.threshold
    if rule.rule == RARITY:
        rule = ThresholdPlan("peaks_over_threshold", risk=10.0**-rule.rarity)
    return _of(rows, baseline_scores(rows, step_scales), dataclasses.replace(plan, threshold=rule))


def _of(
    rows: Sequence[HoldbackRow],
    scores: Sequence[float],
    plan: WorkloadPlan,
    threshold: Threshold | None = None,
) -> Metrics:
    return _metrics(rows, scores, threshold or _fit(rows, scores, plan), plan)


def _fit(rows: Sequence[HoldbackRow], scores: Sequence[float], plan: WorkloadPlan) -> Threshold:
    return fit_plan_threshold(
        [
            (row.series, epoch_seconds(parse_instant(row.interval_start)), score)
            for row, score in zip(rows, scores, strict=True)
            if row.part == "calibrate" and row.label is not True
        ],
        plan,
    )


def _calibration_scores(rows: Sequence[HoldbackRow], scores: Sequence[float]) -> list[float]:
    return [
        score
        for row, score in zip(rows, scores, strict=True)
        if row.part == "calibrate" and row.label is not True
    ]


def _metrics(
    rows: Sequence[HoldbackRow], scores: Sequence[float], threshold: Threshold, plan: WorkloadPlan
) -> Metrics:
    metrics = measure_part(rows, scores, threshold, plan, "test")
    calibrate = _calibration_scores(rows, scores)
    n_series = len({row.series for row in rows})
    expected = expected_alerts_per_week(calibrate, threshold, plan.interval_seconds, n_series)
    return dataclasses.replace(metrics, expected_alerts_per_week=expected)


def _alert_shares(
    rows: Sequence[HoldbackRow], scores: Sequence[float], threshold: Threshold, plan: WorkloadPlan
) -> AlertShares:
    test = [(row, score) for row, score in zip(rows, scores, strict=True) if row.part == "test"]
    known, their = [row for row, _ in test], [score for _, score in test]
    anomalous = decided(known, their, threshold, plan)
    weeks = _weeks(known, plan.interval_seconds)
    alerts = _alerts(known, anomalous, plan.alerts.throttle_seconds)
    counts = Counter(known[position].series for position in alerts if not known[position].label)
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:NAMED_SERIES]
    return AlertShares(
        {series: count / weeks for series, count in most}, len(counts), len({row.series for row in known})
    )


def _starts(rows: Sequence[HoldbackRow]) -> list[int]:
    return [epoch_seconds(parse_instant(row.interval_start)) for row in rows]


def _weeks(rows: Sequence[HoldbackRow], interval_seconds: int) -> float:
    starts = _starts(rows)
    return (max(starts) - min(starts) + interval_seconds) / SECONDS_PER_WEEK


def _alerts(rows: Sequence[HoldbackRow], anomalous: Sequence[bool], throttle_seconds: int) -> list[int]:
    found = [position for position, is_anomaly in enumerate(anomalous) if is_anomaly]
    starts = _starts(rows)
    told = alerts_among([(rows[position].series, starts[position]) for position in found], throttle_seconds)
    return [found[index] for index in told]


def _events(rows: Sequence[HoldbackRow], anomalous: Sequence[bool], throttle_seconds: int) -> list[list[int]]:
    """Return the positions of each event's anomalies; a series without labels has none."""
    events: list[list[int]] = []
    latest: dict[str, tuple[int, list[int]]] = {}
    for position, (row, start, is_anomaly) in enumerate(zip(rows, _starts(rows), anomalous, strict=True)):
        if not is_anomaly or row.label is None:
            continue
        known = latest.get(row.series)
        if known is None or start - known[0] >= throttle_seconds:
            events.append([])
            known = (start, events[-1])
        known[1].append(position)
        latest[row.series] = (start, known[1])
    return events


def _harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision and recall else 0.0


def _windows(rows: Sequence[HoldbackRow], anomalous: Sequence[bool]) -> tuple[int, int]:
    by_series: dict[str, list[tuple[bool, bool]]] = {}
    for row, is_anomaly in zip(rows, anomalous, strict=True):
        by_series.setdefault(row.series, []).append((bool(row.label), is_anomaly))
    found = total = 0
    for cases in by_series.values():
        for label, group in itertools.groupby(cases, key=lambda case: case[0]):
            if label:
                total += 1
                found += any(is_anomaly for _, is_anomaly in group)
    return found, total
