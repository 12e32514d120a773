"""The release that training would make of a history, and the anomalies that the step would find with it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.backtest.scores import PIECE_ROWS, Booleans, Closed, KeptSeries, ScoredSeries
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.detectors.streaming.state import Parameters
from watchkeeper.features.contributions import Explainer
from watchkeeper.features.correlation import MOST_INTERVALS, relations_of
from watchkeeper.judgement.budget import Case, fit_plan_threshold
from watchkeeper.judgement.parts import Parts
from watchkeeper.judgement.rules import RuleBook
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import ADAPTIVE, RARITY
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.stream.findings import Finding, Reasons, also_anomalous
from watchkeeper.stream.judging import with_events
from watchkeeper.stream.learning import learn, learned
from watchkeeper.telemetry.census import census_of
from watchkeeper.telemetry.labels import Labels

RUN = "backtest"
"""The run of the release, which no training made."""

Found = tuple[ScoreLine, Finding, Reasons]


def model_of(plan: WorkloadPlan) -> StreamModel:
    """Return the streaming detector that training gives a release."""
    return StreamModel(asdict(Parameters()), plan.threshold.rarity)


def release_of(
    scored: Mapping[str, ScoredSeries | KeptSeries],
    parts: Parts,
    labels: Labels | None,
    plan: WorkloadPlan,
) -> Release:
    """Return the release that training would make of a history.

    Parameters
    ----------
    labels
        By series; what is labelled as an anomaly is not among what the threshold is fitted on.
    """
    cases: list[Case] = []
    for series in sorted(parts.series):
        one = scored[series]
        chosen = parts.slices(one.closed.starts)["calibrate"]
        usual = ~labelled(series, one.closed, labels, plan)[chosen]
        starts = one.closed.starts[chosen][usual].tolist()
        cases += zip([series] * len(starts), starts, one.score[chosen][usual].tolist(), strict=True)
    threshold = fit_plan_threshold(cases, plan)
    scores = [score for _, _, score in cases]
    closed = {series: one.closed for series, one in scored.items()}
    return Release(
        workload=plan.workload,
        run_id=RUN,
        execution_arn="",
        endpoint="",
        endpoint_config="",
        model="",
        model_package_arn="",
        metrics={},
        released_at="",
        threshold=threshold,
        severity=fit_severity(scores, threshold.value),
        step_scales={},
        probe_row="",
        probe_score=0.0,
        explainer=Explainer("detector"),
        census=census_of(scored),
        relations=relations_of(_newest(closed, plan), plan.interval_seconds),
        stream=model_of(plan),
    )


def labelled(series: str, closed: Closed, labels: Labels | None, plan: WorkloadPlan) -> Booleans:
    """Return which intervals of a series touch a labelled window."""
    found = np.zeros(len(closed.starts), dtype=np.bool_)
    for first, last in () if labels is None else labels.windows_of(series) or ():
        # an interval [start, start + length) touches [first, last], both in microseconds
        begin = np.searchsorted(closed.starts, first // 1_000_000 - plan.interval_seconds, side="right")
        found[begin : np.searchsorted(closed.starts, last // 1_000_000, side="right")] = True
    return found


def anomalies_of(
    scored: Mapping[str, ScoredSeries], number: int, release: Release, since: int, plan: WorkloadPlan
) -> list[AnomalyEvent]:
    """Return the anomalies from an instant on, in the order of time and series.

    Each one is found by the step's own function: the series learns what came before it, and then meets it.
    `also_anomalous` names all measures of the interval, whatever object they would have come in.

    Parameters
    ----------
    number
        Of the plan's model, among those that `scored` is of.
    since
        In seconds since 1970.
    """

    def of_series(one: ScoredSeries) -> list[Found]:
        return list(_anomalies(one, number, release, since, plan))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [each for several in pool.map(of_series, scored.values()) for each in several]
    return events_of(found, plan)


def events_of(found: Sequence[Found], plan: WorkloadPlan) -> list[AnomalyEvent]:
    """Return the events of anomalies, in the order of time and series; each names all of its interval."""
    also = also_anomalous(finding for _, finding, _ in found)
    reasons = {
        finding.key: dataclasses.replace(why, also_anomalous=also[finding.key]) for _, finding, why in found
    }
    findings = {place: finding for place, (_, finding, _) in enumerate(found)}
    lines = with_events([line for line, _, _ in found], findings, reasons, plan)
    events = [line.anomaly for line in lines if line.anomaly is not None]
    return sorted(events, key=lambda event: (event.interval_start, event.series))


def _anomalies(
    one: ScoredSeries, number: int, release: Release, since: int, plan: WorkloadPlan
) -> Iterator[Found]:
    """Yield the anomalies of a series."""
    name = one.pages[0].series[0]
    # each row moves what the next is judged by; or any may be above a threshold that feedback has lowered
    if release.threshold.rule == ADAPTIVE or release.moved.lowers(name):
        yield from _all_of(one, release, since, plan)
        return
    may_be = one.found[number] if release.threshold.rule == RARITY else one.score > release.threshold.value
    rules = RuleBook(plan).of(name)
    if rules is not None:
        may_be = may_be | rules.is_outside(one.closed.values)
    places = np.flatnonzero(may_be & (one.closed.starts >= since)).tolist()
    position, page = 0, one.pages[0]
    for place in places:
        nearest = place // PIECE_ROWS
        if nearest * PIECE_ROWS > position:
            position, page = nearest * PIECE_ROWS, one.pages[nearest]
        if place > position:
            page, _, _ = learn(
                dataclasses.replace(page, waiting=one.waiting(position, place)), release.streaming
            )
        judged = learned(dataclasses.replace(page, waiting=one.waiting(place, place + 1)), release, plan)
        position, page = place + 1, judged.page
        for at, finding in judged.findings.items():
            yield judged.lines[at], finding, judged.reasons[finding.key]


def _all_of(one: ScoredSeries, release: Release, since: int, plan: WorkloadPlan) -> Iterator[Found]:
    page = one.pages[0]
    for begin in range(0, len(one.closed.starts), PIECE_ROWS):
        judged = learned(
            dataclasses.replace(page, waiting=one.waiting(begin, begin + PIECE_ROWS)), release, plan
        )
        page = judged.page
        for at, finding in judged.findings.items():
            if finding.row.interval_start >= since:
                yield judged.lines[at], finding, judged.reasons[finding.key]


def _newest(history: Mapping[str, Closed], plan: WorkloadPlan) -> dict[str, list[tuple[int, float]]]:
    """Return as many of each series' newest intervals as relations are looked for in."""
    found = {}
    for series, closed in history.items():
        since = int(closed.starts[-1]) - MOST_INTERVALS * plan.interval_seconds
        first = int(np.searchsorted(closed.starts, since))
        found[series] = list(zip(closed.starts[first:].tolist(), closed.values[first:].tolist(), strict=True))
    return found
