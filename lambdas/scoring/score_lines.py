"""Judging scored intervals: their lines, and the anomalies among them.

An object of scores is written once, and what it holds is final: anomalies are read from its lines, so that
two deliveries that were answered by different models do not disagree about what was an anomaly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lambdas.scoring.explaining import Finding, Reasons
from lambdas.scoring.requests import Batch, Outcome, RequestRow
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.adaptation import Adaptation, adapted, threshold_now
from watchkeeper.telemetry.expectation import expectation

NO_LIVE_MODEL = "no live model"
UNKNOWN_MEASURE = "the live model was not trained on this measure"
INTERVAL_CHANGED = "the workload's interval changed before it was scored"


@dataclass(frozen=True)
class JudgedRow:
    """An interval with what became of it."""

    request: RequestRow
    outcome: Outcome
    line: ScoreLine
    """Without the event of an anomaly."""
    finding: Finding | None
    """Of an anomaly."""


def judged(
    batch: Batch, outcomes: Mapping[RequestRow, Outcome], plan: WorkloadPlan, adaptation: Adaptation | None
) -> list[JudgedRow]:
    """Say which intervals of a batch are anomalies.

    Of a threshold that moves, a line has `next_threshold` beside its own: a delivery that finds the line goes
    on from there.

    Parameters
    ----------
    outcomes
        What became of the intervals.
    adaptation
        Where the series' threshold stands before the first interval.
    """
    scales: dict[str, float] = {}
    rows = []
    for request in batch:
        outcome, context = outcomes[request], request.context
        score, release = outcome.score, outcome.release
        line = ScoreLine(
            workload=plan.workload,
            series=request.series,
            interval_start=format_instant(context.interval_start),
            value=context.value,
            expected=context.expected,
            lower=None,
            upper=None,
            anomaly_score=score,
            reason=outcome.reason,
        )
        if score is None or release is None:
            rows.append(JudgedRow(request, outcome, line, None))
            continue
        if release.run_id not in scales:
            scales[release.run_id] = release.step_scale(request.series)
        band = None if context.expected is None else expectation(context.expected, scales[release.run_id])
        threshold = threshold_now(release.threshold, release.run_id, adaptation)
        adaptation = adapted(release.threshold, release.run_id, adaptation, score)
        severity = release.severity.severity_beyond(score, threshold)
        line = dataclasses.replace(
            line,
            lower=band.lower if band else None,
            upper=band.upper if band else None,
            threshold=threshold,
            severity=severity,
            is_anomaly=score > threshold,
            run_id=release.run_id,
            next_threshold=None if adaptation is None else adaptation.value,
        )
        found = Finding(request.series, context, score, threshold, severity, release)
        rows.append(JudgedRow(request, outcome, line, found if line.is_anomaly else None))
    return rows


def adaptation_after(lines: Iterable[ScoreLine], before: Adaptation | None) -> Adaptation | None:
    """Return where the threshold of a series stands after its lines, which are in time order."""
    for line in lines:
        if line.next_threshold is not None and line.run_id is not None:
            before = Adaptation(line.run_id, line.next_threshold, line.is_anomaly)
    return before


def with_events(
    rows: Iterable[JudgedRow], plan: WorkloadPlan, reasons: Mapping[tuple[str, int], Reasons]
) -> list[ScoreLine]:
    """Return the lines of a batch with the events of its anomalies.

    Parameters
    ----------
    reasons
        Of each finding, by its key.
    """
    return [
        row.line
        if row.finding is None
        else dataclasses.replace(
            row.line, anomaly=_event(row.line, row.finding, reasons[row.finding.key], plan)
        )
        for row in rows
    ]


def _event(line: ScoreLine, finding: Finding, reasons: Reasons, plan: WorkloadPlan) -> AnomalyEvent:
    return AnomalyEvent(
        workload=line.workload,
        series=line.series,
        interval_start=line.interval_start,
        interval_seconds=plan.interval_seconds,
        observed=line.value,
        expected=line.expected,
        lower=line.lower,
        upper=line.upper,
        score=finding.score,
        threshold=finding.threshold,
        severity=finding.severity,
        run_id=finding.release.run_id,
        execution_arn=finding.release.execution_arn,
        model_package_arn=finding.release.model_package_arn,
        contributions=reasons.explained.contributions,
        explanation=reasons.explained.explanation,
        also_anomalous=reasons.also_anomalous,
    )
