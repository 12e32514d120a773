"""The log of a workload: how its telemetry came, interval by interval."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lambdas.adapters.score_reader import ScoreReader
from lambdas.console.documents.log import LoggedInterval, QualityItem, WorkloadLog
from lambdas.console.series import part_of
from watchkeeper.anomalies.quality import IntervalCounts, QualityEvent, quality_sentence
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant


def log_of(
    reader: ScoreReader, plan: WorkloadPlan, times: tuple[datetime, datetime], most: int, begin: int | None
) -> tuple[WorkloadLog, int | None]:
    """Return the intervals of a time, and where the next part begins; see `series.points_of`."""
    first, end, following = part_of(plan, times, most, begin)
    request = {"workload": plan.workload, "since": format_instant(first), "until": format_instant(end)}
    found: dict[str, Any] = reader.read(request)["log"]
    log = WorkloadLog(
        workload=plan.workload,
        interval_seconds=plan.interval_seconds,
        items=[_interval(IntervalCounts.from_dict(each)) for each in found["intervals"]],
        events=[_event(QualityEvent.from_dict(each)) for each in found["events"]],
        complete=following is None,
    )
    return log, following


def _interval(counts: IntervalCounts) -> LoggedInterval:
    return LoggedInterval(
        start=counts.interval_start,
        objects=counts.objects,
        rows=counts.rows,
        accepted=counts.accepted,
        late=counts.late,
        duplicated=counts.duplicated,
        refused=dict(counts.refused),
        off_clock=counts.off_clock,
        devices=counts.devices,
        series=counts.series,
        new_series=counts.new_series,
        completeness=counts.completeness,
        scored=counts.scored,
        unscored=counts.unscored,
        anomalies=counts.anomalies,
        lag_seconds=counts.lag_seconds,
        lag_most_seconds=counts.lag_most / 1000 if counts.lag_of else None,
    )


def _event(event: QualityEvent) -> QualityItem:
    return QualityItem(
        id=event.alert_id,
        signal=event.signal,
        measure=event.measure,
        began=event.began,
        at=event.interval_start,
        since=event.since,
        share=event.share,
        of=event.of,
        usual=event.usual,
        severity=event.severity,
        says=quality_sentence(event),
    )
