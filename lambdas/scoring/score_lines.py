"""Lines of the scores objects, and the anomalies in them.

An object of scores is written once, and what it holds is final: anomalies are read from its lines, so that
two deliveries that were answered by different models do not disagree about what was an anomaly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lambdas.scoring.batches import Batch
from lambdas.scoring.explaining import Finding, Reasons
from lambdas.scoring.requests import Outcome
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.adaptation import Adaptation, adapted, threshold_now
from watchkeeper.lifecycle.release import Release
from watchkeeper.telemetry.context import ContextRow
from watchkeeper.telemetry.expectation import expectation

NO_LIVE_MODEL = "no live model"
UNKNOWN_MEASURE = "the live model was not trained on this measure"
INTERVAL_CHANGED = "the workload's interval changed before it was scored"

ScoreLine = dict[str, Any]


def lines_of(
    batch: Batch, outcomes: Sequence[Outcome], plan: WorkloadPlan, adaptation: Adaptation | None = None
) -> list[ScoreLine]:
    """Return one line an interval, without the events of the anomalies.

    Of a threshold that moves, a line has `next_threshold` beside its own: where it stands for the interval
    after it. A delivery that finds the line goes on from there.

    Parameters
    ----------
    batch
        The intervals.
    outcomes
        What became of each of them.
    plan
        The workload's.
    adaptation
        Where the series' threshold stands before the first interval.
    """
    scales: dict[str, float] = {}
    lines = []
    for row, outcome in zip(batch.rows, outcomes, strict=True):
        release = outcome.release
        if outcome.score is None or release is None:
            lines.append(_unscored(batch.series, row, outcome, plan))
            continue
        if release.run_id not in scales:
            scales[release.run_id] = release.step_scale(batch.series)
        threshold = threshold_now(release.threshold, release.run_id, adaptation)
        adaptation = adapted(release.threshold, release.run_id, adaptation, outcome.score)
        line = _scored(batch.series, row, outcome.score, release, threshold, scales[release.run_id], plan)
        lines.append(line if adaptation is None else {**line, "next_threshold": adaptation.value})
    return lines


def adaptation_after(lines: Iterable[ScoreLine], before: Adaptation | None) -> Adaptation | None:
    """Return where the threshold of a series stands after its lines, which are in time order."""
    for line in lines:
        if "next_threshold" in line:
            before = Adaptation(line["run_id"], line["next_threshold"], line["is_anomaly"])
    return before


def findings_in(batch: Batch, outcomes: Sequence[Outcome], lines: Sequence[ScoreLine]) -> list[Finding]:
    """Return the anomalous intervals of a batch."""
    return [
        Finding(batch.series, row, outcome.score, line["threshold"], line["severity"], outcome.release)
        for row, outcome, line in zip(batch.rows, outcomes, lines, strict=True)
        if line["is_anomaly"] and outcome.score is not None and outcome.release is not None
    ]


def with_events(
    lines: Sequence[ScoreLine],
    findings: Iterable[Finding],
    plan: WorkloadPlan,
    reasons: Mapping[tuple[str, int], Reasons],
) -> list[ScoreLine]:
    """Return the lines of a batch with the events of its anomalies.

    Parameters
    ----------
    findings
        The batch's `findings_in`.
    reasons
        Of each finding, by its key.
    """
    found = {format_instant(finding.row.interval_start): finding for finding in findings}
    complete = []
    for line in lines:
        finding = found.get(line["interval_start"])
        if finding is None:
            complete.append(line)
            continue
        event = _event(line, finding.release, reasons[finding.series, finding.row.interval_start], plan)
        complete.append({**line, "anomaly": json.loads(event.to_json())})
    return complete


def to_document(lines: Iterable[ScoreLine]) -> bytes:
    """Write lines as JSON lines."""
    return "".join(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n" for line in lines).encode()


def from_document(document: bytes) -> list[ScoreLine]:
    """Read JSON lines.

    Raises
    ------
    ContractViolationError
        If they are not lines of scores.
    """
    try:
        lines = [json.loads(line) for line in document.splitlines()]
        if all("interval_start" in line and "anomaly_score" in line for line in lines):
            return lines
    except (TypeError, ValueError) as error:
        raise ContractViolationError(f"not an object of scores: {error}") from error
    raise ContractViolationError("not an object of scores: a line has no interval_start or anomaly_score")


def anomalies_in(lines: Iterable[ScoreLine]) -> list[AnomalyEvent]:
    """Return the events of the anomalous lines."""
    return [AnomalyEvent.from_json(json.dumps(line["anomaly"])) for line in lines if line["is_anomaly"]]


def _unscored(series: str, row: ContextRow, outcome: Outcome, plan: WorkloadPlan) -> ScoreLine:
    return {
        "workload": plan.workload,
        "series": series,
        "interval_start": format_instant(row.interval_start),
        "value": row.value,
        "expected": row.expected,
        "lower": None,
        "upper": None,
        "anomaly_score": None,
        "reason": outcome.reason,
        "is_anomaly": False,
    }


def _scored(
    series: str,
    row: ContextRow,
    score: float,
    release: Release,
    threshold: float,
    step_scale: float,
    plan: WorkloadPlan,
) -> ScoreLine:
    band = None if row.expected is None else expectation(row.expected, step_scale)
    return {
        "workload": plan.workload,
        "series": series,
        "interval_start": format_instant(row.interval_start),
        "value": row.value,
        "expected": row.expected,
        "lower": band.lower if band else None,
        "upper": band.upper if band else None,
        "anomaly_score": score,
        "threshold": threshold,
        "severity": release.severity.severity_beyond(score, threshold),
        "is_anomaly": score > threshold,
        "run_id": release.run_id,
    }


def _event(line: ScoreLine, release: Release, reasons: Reasons, plan: WorkloadPlan) -> AnomalyEvent:
    return AnomalyEvent(
        workload=line["workload"],
        series=line["series"],
        interval_start=line["interval_start"],
        interval_seconds=plan.interval_seconds,
        observed=line["value"],
        expected=line["expected"],
        lower=line["lower"],
        upper=line["upper"],
        score=line["anomaly_score"],
        threshold=line["threshold"],
        severity=line["severity"],
        run_id=release.run_id,
        execution_arn=release.execution_arn,
        model_package_arn=release.model_package_arn,
        contributions=reasons.explained.contributions,
        explanation=reasons.explained.explanation,
        also_anomalous=reasons.also_anomalous,
    )
