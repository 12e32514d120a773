"""Telemetry and releases for tests of the step, and a host without a cloud."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from watchkeeper.anomalies.quality import IntervalCounts, QualityEvent, counts_in
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import RARITY, Threshold
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.stream.object_lines import sort_lines
from watchkeeper.stream.page import Page, new_page, overflows, split
from watchkeeper.stream.page_format import from_bytes, to_bytes
from watchkeeper.stream.placement import ROOT, bits_of, children
from watchkeeper.stream.readings import Readings, Source
from watchkeeper.stream.step import step, written
from watchkeeper.telemetry.records import Record, parse_record

PLAN = WorkloadPlan(
    "w",
    TimestampPlan("t"),
    (MeasurePlan("m", "m"),),
    60,
    dimensions=("device",),
    lateness_seconds=120,
    features=FeaturePlan(shingle=4),
)
HOUR = "2026-11-29T17"


def plan_of(**changes: Any) -> WorkloadPlan:
    return dataclasses.replace(PLAN, **changes)


def reading(second: float, value: float = 1.0, device: str = "a", **more: Any) -> bytes:
    """A line of telemetry, so many seconds after 1970."""
    time = (EPOCH + timedelta(seconds=second)).isoformat()
    return json.dumps({"t": time, "device": device, "m": value, **more}).encode()


def readings(lines: Iterable[bytes], plan: WorkloadPlan = PLAN) -> Readings:
    return sort_lines(b"\n".join(lines), plan).readings(plan)


def records(lines: Iterable[bytes], plan: WorkloadPlan = PLAN) -> list[Record]:
    return [parse_record(line, plan) for line in lines]


def source(name: str) -> Source:
    return Source(name, HOUR, f"raw/{name}", f"s3://bucket/raw/{name}", "v1")


def streaming_release(minute: int = 0, **changes: Any) -> Release:
    """A release whose streaming detector judges by its own calibration."""
    release = Release(
        workload="w",
        run_id=f"run-{minute}",
        execution_arn="arn",
        endpoint="",
        endpoint_config="",
        model="",
        model_package_arn="",
        threshold=Threshold(RARITY, 0.37499999999999994, {}, 0),
        severity=fit_severity([0.0, 1.0], 1.0),
        step_scales={},
        probe_row="",
        probe_score=0.0,
        metrics={},
        released_at="2024-01-01T00:00:00Z",
        stream=StreamModel({}, 3.75),
    )
    return dataclasses.replace(release, **changes)


@dataclasses.dataclass
class Shelves:
    """Pages as bytes, and the lines that came of them."""

    plan: WorkloadPlan = PLAN
    release: Release | None = None
    most: int = 1024
    pages: dict[str, bytes] = dataclasses.field(default_factory=dict)
    lines: list[ScoreLine] = dataclasses.field(default_factory=list)
    quarantined: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    counts: list[IntervalCounts] = dataclasses.field(default_factory=list)
    told: list[QualityEvent] = dataclasses.field(default_factory=list)

    def deliver(self, name: str, lines: Sequence[bytes]) -> None:
        """Take in an object, shelf by shelf."""
        self._take(ROOT, readings(lines, self.plan), source(name))

    def page(self, shelf: str = ROOT) -> Page:
        content = self.pages.get(shelf)
        return from_bytes(content) if content else new_page("w", shelf, self.plan.interval_seconds)

    def _take(self, shelf: str, found: Readings, origin: Source) -> None:
        page = self.page(shelf)
        if page.condition == "open" and overflows(page, found.series, self.most):
            for child in split(page):
                self.pages[child.shelf] = to_bytes(child)
            self.pages[shelf] = to_bytes(dataclasses.replace(page, condition="split"))
            page = self.page(shelf)
        if page.condition == "split":
            for part in children(shelf):
                chosen = [at for at, name in enumerate(found.series) if bits_of(name).startswith(part)]
                self._take(part, found.of_series(chosen), origin)
            return
        outcome, _ = step(page, found, origin, self.release, self.plan)
        page = outcome.page
        if outcome.output:
            self.lines += outcome.output.lines()
            if outcome.output.scores:
                self.counts += counts_in(gzip.decompress(outcome.output.scores).splitlines())
            self.told += outcome.output.quality_events()
            self.quarantined += [json.loads(line) for line in outcome.output.quarantine.splitlines()]
            page = written(page, [outcome.output])
        self.pages[shelf] = to_bytes(page)
