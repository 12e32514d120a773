"""How many alerts people get: one an anomaly that is not throttled, as before, or those of incidents, by the
routes and the throttle of the workload."""

from __future__ import annotations

import dataclasses
import itertools
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.incidents.scoring import Floats, events_after, plan_of, release_of, rule_of
from benchmarks.quality.corpus import LabelledSeries, load_corpus
from cli.datasets import dataset_of, located
from cli.specs import anomaly_spec_of
from containers.anomaly.telemetry import Telemetry, read_folder
from lambdas.alerting.counting import alerts_told
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, epoch_seconds, parse_instant
from watchkeeper.incidents.grouping import GroupingRule, grown_by
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import IncidentNotice
from watchkeeper.incidents.progress import after_anomalies
from watchkeeper.stream.page import new_page, with_series
from watchkeeper.stream.placement import ROOT

WORKLOADS = ("machine_temperature", "air_quality", "water_flow", "stock_volume")
PROBATION = 0.15
"""Share of the time at the beginning that nothing is counted of."""

Windows = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Told:
    """Alerts of a subject, and the labelled windows that they are in."""

    subject: str
    days: float
    anomalies: int
    throttled: int
    """Alerts as before: one for each anomaly, but none of a series within the throttle after one."""
    incidents: int
    escalations: int
    """Told once more, because it got much worse; see `watchkeeper.incidents.progress`."""
    alerts: int
    """Of both, those that a route takes and that are not throttled: `lambdas.alerting.counting`."""
    windows: int
    found_before: int
    found_after: int

    def __add__(self, other: Told) -> Told:
        mine, theirs = dataclasses.astuple(self), dataclasses.astuple(other)
        return Told(self.subject, *(one + more for one, more in zip(mine[1:], theirs[1:], strict=True)))


def of_workloads() -> Iterator[Told]:
    """Yield what the demos' data give, all judged by the streaming detector at its defaults."""
    for name in WORKLOADS:
        plan = anomaly_spec_of(name, "bench-incidents").plan()
        plan = dataclasses.replace(plan, threshold=plan_of().threshold)
        yield _told(name, _values_of(name, plan), plan, _windows_of(name))


def of_nab() -> Told:
    """Return what NAB's 58 series give together, each a workload of its own that throttles an hour."""
    found = [_of_series(series) for series in load_corpus()]
    total = found[0]
    for one in found[1:]:
        total += one
    return dataclasses.replace(total, subject=f"NAB, {len(found)} series")


def _of_series(series: LabelledSeries) -> Told:
    seconds = series.timestamps.astype("datetime64[s]").astype(np.int64)
    interval = max(1, int(np.median(np.diff(seconds))))
    plan = plan_of()
    plan = dataclasses.replace(
        plan,
        workload="nab",
        interval_seconds=interval,
        dimensions=(),
        measures=(dataclasses.replace(plan.measures[0], field="value", name="value"),),
        alerts=dataclasses.replace(plan.alerts, throttle_seconds=3600),
    )
    windows = [(int(seconds[first]), int(seconds[last])) for first, last in series.windows]
    known = dict(zip((seconds // interval * interval).tolist(), series.values.tolist(), strict=True))
    return _told(series.name, {"value": sorted(known.items())}, plan, windows)


def _told(
    subject: str, values: Mapping[str, Sequence[tuple[int, float]]], plan: WorkloadPlan, windows: Windows
) -> Told:
    begin = min(known[0][0] for known in values.values())
    end = max(known[-1][0] for known in values.values()) + plan.interval_seconds
    since = begin + int(PROBATION * (end - begin))
    rows: dict[str, Floats] = {}
    for series, known in values.items():
        row = rows[series] = np.full((end - begin) // plan.interval_seconds, np.nan)
        for start, value in known:
            row[(start - begin) // plan.interval_seconds] = value
    page = with_series(new_page(plan.workload, ROOT, plan.interval_seconds), rows)
    events = [event for event in events_after(page, rows, begin, plan, release_of(plan)) if event.at >= since]
    events.sort(key=lambda event: (event.at, event.series))
    before = throttled(events, plan.alerts.throttle_seconds)
    notices, incidents = _incidents(events, rule_of(plan), plan)
    timed = [(EPOCH + timedelta(seconds=notice.at), notice) for notice in notices]
    alerts = alerts_told(timed, plan.alerts, incidents.get)
    counted = [window for window in windows if window[1] >= since]
    return Told(
        subject,
        (end - since) / 86_400,
        len(events),
        len(before),
        sum(notice.what == "opened" for notice in notices),
        sum(notice.what == "escalated" for notice in notices),
        len(alerts),
        len(counted),
        _hit(before, counted),
        _hit([notice.at for notice in alerts], counted),
    )


def throttled(events: Sequence[AnomalyEvent], throttle_seconds: int) -> list[int]:
    """Return when an anomaly was told, before there were incidents; events in the order of time."""
    raised: dict[str, int] = {}
    told = []
    for event in events:
        if event.series not in raised or event.at - raised[event.series] >= throttle_seconds:
            raised[event.series] = event.at
            told.append(event.at)
    return told


def _incidents(
    events: Sequence[AnomalyEvent], rule: GroupingRule, plan: WorkloadPlan
) -> tuple[list[IncidentNotice], dict[str, Incident]]:
    """Return what is told of incidents as anomalies come, interval after interval, and the incidents."""
    notices: list[IncidentNotice] = []
    kept: dict[str, Incident] = {}
    for at, coming in itertools.groupby(events, key=lambda event: event.at):
        batch = list(coming)
        reach = rule.longest_reach_seconds(batch[0].interval_seconds)
        near = [one for one in kept.values() if one.last >= at - reach]
        change = after_anomalies(
            grown_by(near, batch, rule),
            watermark=at,
            closes_after=plan.incidents.closes_after(plan.interval_seconds),
            levels={route.severity_at_least for route in plan.alerts.routes},
        )
        notices += change.notices
        for merged in change.merged:
            del kept[merged.incident_id]
        kept |= {one.incident_id: one for one in change.incidents}
    return notices, kept


def _hit(alerts: Sequence[int], windows: Windows) -> int:
    return sum(any(first <= at <= last for at in alerts) for first, last in windows)


def _values_of(name: str, plan: WorkloadPlan) -> dict[str, list[tuple[int, float]]]:
    dataset = dataset_of(name)
    telemetry = Telemetry(plan)
    with tempfile.TemporaryDirectory() as scratch:
        folder, quarantine = Path(scratch) / "history", Path(scratch) / "quarantine"
        folder.mkdir()
        quarantine.mkdir()
        history = located(dataset.history)
        (folder / history.name).write_bytes(history.read_bytes())
        if dataset.live is not None:
            live = f"{dataset.live_header or ''}\n".lstrip() + located(dataset.live).read_text(
                encoding="utf-8"
            )
            (folder / "live.csv").write_text(live, encoding="utf-8")
        read_folder(folder, telemetry, quarantine)
    return telemetry.series_values()


def _windows_of(name: str) -> list[tuple[int, int]]:
    dataset = dataset_of(name)
    if dataset.labels is None:
        return []
    windows = json.loads(located(dataset.labels).read_bytes())[dataset.labels_key]
    return [
        (epoch_seconds(parse_instant(_utc(first))), epoch_seconds(parse_instant(_utc(last))))
        for first, last in windows
    ]


def _utc(text: str) -> str:
    return f"{text.partition('.')[0].rstrip('Z').replace(' ', 'T')}Z"
