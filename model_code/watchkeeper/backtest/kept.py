"""What versions of a workload say of scores that are kept: the model of an endpoint is not asked again.

Threshold, rules, calendars, feedback, incidents and alerts are judged anew. What makes a score must be the
same in all versions, since the scores are those of the model that served.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from watchkeeper.backtest.judgement import Found, events_of, release_of
from watchkeeper.backtest.outcome import Outcome, Version, told_of
from watchkeeper.backtest.scores import KeptSeries
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.features.contributions import NO_EXPLAINER, unexplained
from watchkeeper.judgement.rules import RuleBook
from watchkeeper.judgement.thresholds import ADAPTIVE
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.findings import Reasons, explained_by_rule
from watchkeeper.stream.judging import Answer, judged
from watchkeeper.stream.page import new_page, with_series
from watchkeeper.stream.placement import ROOT
from watchkeeper.telemetry.context import ContextRow

NOT_KEPT = "a score that is kept does not say what it is made of"


def rejudged(
    versions: Sequence[Version],
    kept: Mapping[str, KeptSeries],
    since: int | None = None,
    until: int | None = None,
) -> list[Outcome]:
    """Judge scores that are kept by several versions.

    Each threshold is fitted on the scores of the calibrate part of `Version.parts`.

    Parameters
    ----------
    versions
        Each with the intervals that it watches, all of them in `kept`.
    kept
        By series.
    since, until
        Of the judged time, in seconds since 1970; without them from where no threshold is fitted, to the end.

    Raises
    ------
    InvalidInputError
        If what makes a score differs between the versions, there are too few scores, or nothing is left to
        judge.
    """
    check_made_alike(versions)
    since = max(int(version.parts().test_from) for version in versions) if since is None else since
    until = min(version.until() for version in versions) if until is None else until
    if since >= until:
        raise InvalidInputError("nothing is left to judge: the time to judge ends before it begins")
    return [_outcome(version, kept, since, until) for version in versions]


def check_made_alike(versions: Sequence[Version]) -> None:
    """Refuse versions whose scores would not be the same.

    Raises
    ------
    InvalidInputError
        Names the first key that differs.
    """
    first, *others = versions
    for other in others:
        ours, theirs = _makes(first.plan), _makes(other.plan)
        apart = [name for name, value in ours.items() if theirs[name] != value]
        if apart:
            raise InvalidInputError(
                f"{apart[0]} differs between {first.name} and {other.name}, and scores that are kept are of "
                "one of them: what a model with the other would say, only its training tells. Compare "
                "threshold, rules, calendars, incidents and alerts by --scores"
            )


def _makes(plan: WorkloadPlan) -> dict[str, object]:
    """Return what of a plan makes a score, by the key that it has in a workload's file."""
    return {
        "detector": plan.detector,
        "features": (plan.features, plan.max_gap_intervals),
        "interval": plan.interval_seconds,
        "dimensions": plan.dimensions,
        "source.timestamp": plan.timestamp,
        "measures": {
            measure.name: dataclasses.replace(measure, rules=None, missing=measure.fill)
            for measure in plan.measures
        },
    }


def _outcome(version: Version, kept: Mapping[str, KeptSeries], since: int, until: int) -> Outcome:
    begun = time.perf_counter()
    plan = version.plan
    watched = {series: kept[series] for series in version.history}
    release = dataclasses.replace(
        release_of(watched, version.parts(), version.labels, plan),
        step_scales={series: one.step_scale for series, one in watched.items()},
        explainer=NO_EXPLAINER,
        stream=None,
        moved=version.moved,
    )
    found = [each for series in watched for each in _anomalies(series, watched[series], release, since, plan)]
    anomalies = [event for event in events_of(found, plan) if event.at < until]
    told = told_of(anomalies, release, plan)
    return Outcome(
        version,
        release,
        tuple(anomalies),
        told.incidents,
        told.notices,
        since,
        until,
        0.0,
        time.perf_counter() - begun,
    )


def _anomalies(
    series: str, one: KeptSeries, release: Release, since: int, plan: WorkloadPlan
) -> Iterator[Found]:
    """Yield the anomalies of a series, by the step's own function."""
    starts, values = one.closed.starts, one.closed.values
    # each row moves what the next is judged by; or any may be above a threshold that feedback has lowered
    may_be = np.ones(len(starts), dtype=np.bool_)
    if release.threshold.rule != ADAPTIVE and not release.moved.lowers(series):
        rules = RuleBook(plan).of(series)
        may_be = one.score > release.threshold.value
        may_be |= np.zeros_like(may_be) if rules is None else rules.is_outside(values)
    places = np.flatnonzero(may_be)
    expected = [None if math.isnan(each) else each for each in one.expected[places].tolist()]
    rows = [
        (0, ContextRow(start, value, (), usual))
        for start, value, usual in zip(
            starts[places].tolist(), values[places].tolist(), expected, strict=True
        )
    ]
    answers = [Answer(score, release) for score in one.score[places].tolist()]
    page = with_series(new_page(plan.workload, ROOT, plan.interval_seconds), [series])
    said = judged(page, rows, answers, plan)
    for at, finding in said.findings.items():
        if finding.row.interval_start >= since:
            why = explained_by_rule(finding) if finding.by_rule else unexplained(NOT_KEPT)
            yield said.lines[at], finding, Reasons(why, {})
