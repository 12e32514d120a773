"""Series that say nothing: their lines and anomalies. They need no model, only one that could have judged."""

from __future__ import annotations

import dataclasses

from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.features.contributions import ExplainedScore, Explanation
from watchkeeper.judgement.rules import RuleBook
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.findings import Finding, Reasons
from watchkeeper.stream.intake import TakenIn
from watchkeeper.stream.judging import Judged
from watchkeeper.telemetry.context import ContextRow

SILENCE_LIMIT = 1.0
"""The score of a silence is its length in those that the plan allows."""
_MICROSECONDS = 1_000_000


def with_silence(judged: Judged, taken: TakenIn, release: Release | None, plan: WorkloadPlan) -> Judged:
    """Add the lines and anomalies of the series that a tick found silent.

    The interval is the one in which the silence became too long. Without a live release nothing is told.
    """
    if not taken.silent or plan.silence is None or release is None:
        return judged
    lines = [(line, judged.findings.get(position)) for position, line in enumerate(judged.lines)]
    reasons, book = dict(judged.reasons), RuleBook(plan)
    for series in taken.silent:
        since = int(taken.page.watermark[series]) // _MICROSECONDS
        start = (since + plan.silence.after_seconds) // plan.interval_seconds * plan.interval_seconds
        reason = f"silent since {format_instant(since)}"
        line = ScoreLine(
            workload=plan.workload,
            series=taken.page.series[series],
            interval_start=format_instant(start),
            value=None,
            expected=None,
            lower=None,
            upper=None,
            anomaly_score=SILENCE_LIMIT,
            reason=reason,
            threshold=SILENCE_LIMIT,
            severity=plan.silence.severity,
            is_anomaly=True,
            run_id=release.run_id,
        )
        rules = book.of(line.series)
        if rules is not None and (calendar := rules.calendar_at(start)):
            lines.append((dataclasses.replace(line, is_anomaly=False, rule=calendar), None))
            continue
        context = ContextRow(start, 0.0, (), None)
        found = Finding(line.series, context, SILENCE_LIMIT, SILENCE_LIMIT, plan.silence.severity, release)
        reasons[found.key] = Reasons(ExplainedScore((), Explanation("rule", reason=reason)), {})
        lines.append((line, found))
    lines.sort(key=lambda item: item[0].interval)
    return dataclasses.replace(
        judged,
        lines=[line for line, _ in lines],
        findings={position: found for position, (_, found) in enumerate(lines) if found is not None},
        reasons=reasons,
    )
