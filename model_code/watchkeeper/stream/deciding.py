"""What a release says of the scores of a streaming detector: which are anomalies, and their lines.

All rows are decided at once and lines are made of those that are asked for: the step asks for all, a backtest
for the anomalies.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.judgement.moved import DIRECTIONS, FEEDBACK
from watchkeeper.judgement.rules import RuleBook
from watchkeeper.judgement.thresholds import ADAPTIVE, RARITY
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.findings import Finding
from watchkeeper.stream.judging import Instants, Thresholds, by_rules
from watchkeeper.stream.page import Page, Records
from watchkeeper.telemetry.context import ContextRow


@dataclass(frozen=True)
class Decisions:
    """What a release says of rows, in their order."""

    threshold: Sequence[float]
    """That judged each."""
    following: Sequence[float | None]
    """The series' next threshold; None where it does not move."""
    is_anomaly: npt.NDArray[np.bool_]
    levels: npt.NDArray[np.float64] | None = None
    """Severities above which rows are anomalies, `THRESHOLD_SEVERITY` where the score decides; None where
    it decides all of them."""


def decide(
    page: Page, rows: Records, scores: SeriesScores, release: Release, thresholds: Thresholds
) -> Decisions:
    """Say which rows are anomalies: what the step, and a backtest, go by.

    Parameters
    ----------
    page
        That the rows' series are of.
    rows
        In the order of time in every series.
    thresholds
        Where those of the series stand; moved on.
    """
    by_score = _by_score(rows["series"].tolist(), scores, release, thresholds)
    return _by_feedback(page, rows, scores, release, by_score) if release.moved else by_score


def lines_of_rows(
    page: Page,
    rows: Records,
    scores: SeriesScores,
    decisions: Decisions,
    release: Release,
    plan: WorkloadPlan,
    chosen: npt.NDArray[np.intp] | None = None,
) -> tuple[list[ScoreLine], dict[int, Finding]]:
    """Return the lines of rows as the plan's rules have them, and the anomalies among them by position in
    what is returned.

    Parameters
    ----------
    chosen
        Rows, ascending; all of them without it.
    """
    own, instants, book = release.threshold.rule == RARITY, Instants(), RuleBook(plan)
    levels = decisions.levels
    places = np.arange(len(rows)) if chosen is None else chosen
    lines: list[ScoreLine] = []
    findings: dict[int, Finding] = {}
    columns = zip(
        places.tolist(),
        rows["series"][places].tolist(),
        rows["start"][places].tolist(),
        rows["value"][places].tolist(),
        scores.anomaly_score[places].tolist(),
        scores.expected[places].tolist(),
        scores.lower[places].tolist(),
        scores.upper[places].tolist(),
        scores.severity[places].tolist(),
        decisions.is_anomaly[places].tolist(),
        strict=True,
    )
    for place, series, start, value, score, expected, lower, upper, own_severity, is_anomaly in columns:
        threshold = decisions.threshold[place]
        severity = own_severity if own else release.severity.severity_beyond(score, threshold)
        line = ScoreLine(
            workload=page.workload,
            series=page.series[series],
            interval_start=instants[start],
            value=value,
            expected=expected,
            lower=lower,
            upper=upper,
            anomaly_score=score,
            threshold=threshold,
            severity=severity,
            is_anomaly=is_anomaly,
            run_id=release.run_id,
            next_threshold=decisions.following[place],
        )
        if levels is not None and levels[place] != THRESHOLD_SEVERITY:
            scored = bool(scores.is_anomaly[place]) if own else score > threshold
            line = dataclasses.replace(
                line,
                severity_threshold=float(levels[place]),
                rule=FEEDBACK if scored != is_anomaly else None,
            )
        found = None
        if is_anomaly:
            context = ContextRow(start, value, (), expected)
            found = Finding(line.series, context, score, threshold, severity, release)
        rules = book.of(line.series) if book else None
        if rules is not None and (is_anomaly or not rules.lowest <= value <= rules.highest):
            line, found = by_rules(line, start, found, rules, release)
        if found is not None:
            findings[len(lines)] = found
        lines.append(line)
    return lines, findings


def _by_feedback(
    page: Page, rows: Records, scores: SeriesScores, release: Release, by_score: Decisions
) -> Decisions:
    sides = [np.full(len(page), THRESHOLD_SEVERITY) for _ in DIRECTIONS]
    for series in np.unique(rows["series"]).tolist():
        for of_side, direction in zip(sides, DIRECTIONS, strict=True):
            of_side[series] = release.moved.of(page.series[series], direction)
    above, below = (of_side[rows["series"]] for of_side in sides)
    off = rows["value"] - scores.expected
    levels = np.where(off > 0, above, np.where(off < 0, below, np.minimum(above, below)))
    places = np.flatnonzero(levels != THRESHOLD_SEVERITY)
    if not len(places):
        return by_score
    is_anomaly = by_score.is_anomaly.copy()
    for place in places.tolist():
        is_anomaly[place] = _severity(place, scores, release, by_score) > levels[place]
    return dataclasses.replace(by_score, is_anomaly=is_anomaly, levels=levels)


def _severity(place: int, scores: SeriesScores, release: Release, decisions: Decisions) -> float:
    if release.threshold.rule == RARITY:
        return float(scores.severity[place])
    score = float(scores.anomaly_score[place])
    return release.severity.severity_beyond(score, decisions.threshold[place])


def _by_score(
    series: Sequence[int], scores: SeriesScores, release: Release, thresholds: Thresholds
) -> Decisions:
    rule, value = release.threshold.rule, release.threshold.value
    if rule != ADAPTIVE:
        found = scores.is_anomaly if rule == RARITY else scores.anomaly_score > value
        return Decisions([value] * len(series), [None] * len(series), found)
    judged = [
        thresholds.judge(one, score, release)
        for one, score in zip(series, scores.anomaly_score.tolist(), strict=True)
    ]
    threshold = [value for value, _ in judged]
    return Decisions(threshold, [next_ for _, next_ in judged], scores.anomaly_score > np.array(threshold))
