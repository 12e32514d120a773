"""What a release says of the scores of a streaming detector: which are anomalies, and their lines.

All rows are decided at once and lines are made of those that are asked for: the step asks for all, a backtest
for the anomalies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.detectors.streaming.scores import SeriesScores
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


def decide(
    series: Sequence[int], scores: SeriesScores, release: Release, thresholds: Thresholds
) -> Decisions:
    """Say which rows are anomalies: what the step, and a backtest, go by.

    Parameters
    ----------
    series
        Position of each row's; rows are in the order of time in every series.
    thresholds
        Where those of the series stand; moved on.
    """
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
