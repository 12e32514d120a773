"""Series through the scoring loop's pure step: values in, anomaly events out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from cli.specs import anomaly_spec_of
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.severity import score_below
from watchkeeper.incidents.grouping import GroupingRule
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import RARITY, Threshold
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.stream.judging import with_events
from watchkeeper.stream.learning import learn, learned
from watchkeeper.stream.page import WAITING, Page, in_order, new_page, with_series
from watchkeeper.stream.placement import ROOT

Floats = npt.NDArray[np.float64]


def plan_of() -> WorkloadPlan:
    """Return the plan of the workload that watches air quality."""
    return anomaly_spec_of("air_quality", "bench-incidents").plan()


def release_of(plan: WorkloadPlan) -> Release:
    """Return a release with the streaming detector at its defaults, judged by its own calibration."""
    rarity = plan.threshold.rarity
    threshold = score_below(rarity)
    return Release(
        workload=plan.workload,
        run_id="bench",
        execution_arn="",
        endpoint="",
        endpoint_config="",
        model="",
        model_package_arn="",
        metrics={},
        released_at="2026-01-01T00:00:00Z",
        threshold=Threshold(RARITY, threshold, {"rarity": rarity}, 0),
        severity=fit_severity([0.0, threshold], threshold),
        step_scales={},
        probe_row="",
        probe_score=0.0,
        stream=StreamModel({}, rarity),
    )


def rule_of(plan: WorkloadPlan) -> GroupingRule:
    """Return when a workload's anomalies hang together."""
    said, interval = plan.incidents, plan.interval_seconds
    return GroupingRule(
        gap_seconds=said.gap(interval),
        quiet_seconds=said.closes_after(interval),
        together_at_least=said.together_at_least,
    )


def warmed(values: Mapping[str, Floats], begin: int, plan: WorkloadPlan, release: Release) -> Page:
    """Return a page that has learned rows; the first begins at `begin`, seconds since 1970."""
    page = with_series(new_page(plan.workload, ROOT, plan.interval_seconds), values)
    return learn(_waiting(page, values, begin), release.streaming)[0]


def events_after(
    page: Page, values: Mapping[str, Floats], begin: int, plan: WorkloadPlan, release: Release
) -> list[AnomalyEvent]:
    """Return the anomalies of rows that come after what a page has learned; NaN: nothing came."""
    judged = learned(_waiting(page, values, begin), release, plan)
    lines = with_events(judged.lines, judged.findings, judged.reasons, plan)
    return [line.anomaly for line in lines if line.anomaly is not None]


def _waiting(page: Page, values: Mapping[str, Floats], begin: int) -> Page:
    places = {series: place for place, series in enumerate(page.series)}
    rows = [
        (places[series], begin + at * page.interval_seconds, value, 1)
        for series, row in values.items()
        for at, value in enumerate(row.tolist())
        if not np.isnan(value)
    ]
    return dataclasses.replace(page, waiting=in_order(np.array(rows, dtype=WAITING)))
