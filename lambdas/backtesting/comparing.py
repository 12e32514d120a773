"""Two versions of a workload over its history, by the functions of `watchkeeper backtest --compare`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lambdas.alerting.counting import alerts_raised
from lambdas.backtesting.requests import BacktestRequest
from watchkeeper.backtest.document import Comparison, compared, judged
from watchkeeper.backtest.outcome import Outcome, Version, backtested
from watchkeeper.backtest.scores import Closed
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.telemetry.labels import LABELS_NAME, Labels, read_labels, with_feedback

DEPLOYED, EDITED = "as deployed", "as edited"
LISTED = 200
"""Incidents of a kind; how many there are is told all the same."""
DRAWN = 2_000
"""Incidents of a version in the chart: the most severe."""


def alerts_of(outcome: Outcome) -> int:
    """Return how many alerts would have gone out of incidents that opened or got worse."""
    whole = {each.incident_id: each for each in outcome.incidents}
    notices = ((EPOCH + timedelta(seconds=notice.at), notice) for notice in outcome.notices)
    return alerts_raised(notices, outcome.version.plan.alerts, whole.get)


def comparison_of(
    request: BacktestRequest,
    plans: tuple[WorkloadPlan, WorkloadPlan],
    history: Mapping[str, Closed],
    own_labels: bytes | None,
) -> Comparison:
    """Compare a workload as it is deployed with what was asked for.

    Parameters
    ----------
    plans
        As deployed, and as edited: they differ in nothing that decides which intervals there are.
    history
        Closed intervals, by series.
    own_labels
        The user's file of labels, if there is one.

    Raises
    ------
    InvalidInputError
        If the history is too short, or nothing of the wanted days is left to judge.
    """
    notes: list[str] = []
    labels = _labels_of(history, own_labels, request.said, plans[1], notes)
    versions = [
        Version(name, plan, history, labels, request.moved)
        for name, plan in zip((DEPLOYED, EDITED), plans, strict=True)
    ]
    unseen = max(version.judged_from() for version in versions)
    wanted = versions[0].until() - request.days * 86_400
    outcomes = backtested(versions, max(unseen, wanted))
    if wanted < unseen:
        notes.append(
            "Judged is only what neither version has fitted its threshold on: a longer history leaves more."
        )
    sides = [judged(outcome, alerts_of(outcome), None) for outcome in outcomes]
    intervals = sum(len(one.starts) for one in history.values())
    return compared(*sides, records=0, series=len(history), intervals=intervals, notes=notes)


def result_of(found: Comparison) -> dict[str, Any]:
    """Return what the console shows of a comparison: lists and chart have an end."""
    document = found.to_dict()
    incidents = document["incidents"]
    counts = {name: len(incidents[name]) for name in ("changed", "appear", "go")}
    listed = {name: incidents[name][:LISTED] for name in counts}
    sides = []
    for marks in found.marks():
        drawn = sorted(marks, key=lambda mark: -mark.severity)[:DRAWN]
        sides.append([[mark.opened, mark.last, round(mark.severity, 1), mark.fate] for mark in drawn])
    return {
        **{name: document[name] for name in ("judged", "history", "changes", "before", "after", "notes")},
        "incidents": {"same": incidents["same"], "counts": counts, **listed},
        "marks": {"before": sides[0], "after": sides[1]},
        "windows": [[first // 1_000_000, last // 1_000_000] for first, last in found.windows()][:DRAWN],
        "max_alerts_per_week": found.after.outcome.version.plan.gate.max_alerts_per_week,
    }


def _labels_of(
    history: Mapping[str, Closed], own: bytes | None, said: str, plan: WorkloadPlan, notes: list[str]
) -> Labels | None:
    """Return the labels that the next training would be told, by series."""
    starts = {series: one.starts.tolist() for series, one in history.items()}
    labels = None
    if own is not None:
        try:
            labels, unmet = _read(own).fitted(starts, plan.interval_seconds)
        except InvalidInputError as error:  # as of files, which are not read here
            labels, unmet = None, f"{error}; judged without them"
        notes += [unmet] if unmet else []
    if plan.feedback_labels and json.loads(said):
        labels, _ = with_feedback(labels, _read(said.encode()), starts, plan.interval_seconds)
    return labels


def _read(content: bytes) -> Labels:
    with TemporaryDirectory() as folder:
        file = Path(folder) / LABELS_NAME
        file.write_bytes(content)
        return read_labels(file)
