"""What one version of a workload says of a history."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.backtest.judgement import anomalies_of, model_of, release_of
from watchkeeper.backtest.scores import Closed, ScoredSeries, score_history
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.incidents.causes import Surroundings
from watchkeeper.incidents.grouping import grown_by, rule_of
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import IncidentNotice
from watchkeeper.incidents.progress import Change, after_anomalies
from watchkeeper.judgement.moved import NOTHING_MOVED, MovedThresholds
from watchkeeper.judgement.parts import Parts, parts_of
from watchkeeper.judgement.thresholds import RARITY, SECONDS_PER_WEEK
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.learning import learner_of
from watchkeeper.telemetry.labels import Labels
from watchkeeper.telemetry.selection import mute_of

_NOT_HERE = {
    "rcf": "its code is an image of AWS's, and no other forest gives its scores",
    "registered": "its model is in the account's registry",
}
"""Why a detector's own code does not score on this machine."""


@dataclass(frozen=True)
class Version:
    """One version of a workload and what is known of the history by it."""

    name: str
    """What a reader calls it: a git ref, or a file."""
    plan: WorkloadPlan
    history: Mapping[str, Closed]
    labels: Labels | None
    """By series."""
    moved: MovedThresholds = NOTHING_MOVED
    """Where people's feedback has moved thresholds."""

    def parts(self) -> Parts:
        """Return how training would cut the history."""
        return parts_of({series: one.starts for series, one in self.history.items()}, self.plan)

    def judged_from(self) -> int:
        """Return from when on its judgement is one of what it has not seen, in seconds since 1970.

        Every score is given before its interval is learned, so that is the end of what trains; where the
        threshold is fitted, the end of what it is fitted on.
        """
        parts = self.parts()
        return int(parts.calibrate_from if self.plan.threshold.rule == RARITY else parts.test_from)

    def until(self) -> int:
        """Return the end of the last closed interval, in seconds since 1970."""
        return max(int(one.starts[-1]) for one in self.history.values()) + self.plan.interval_seconds


@dataclass(frozen=True)
class Outcome:
    """What a version says of the judged time."""

    version: Version
    release: Release
    anomalies: tuple[AnomalyEvent, ...]
    incidents: tuple[Incident, ...]
    notices: tuple[IncidentNotice, ...]
    """That incidents opened, and got worse, in the order of time."""
    since: int
    """Of the judged time, in seconds since 1970."""
    until: int
    scoring_seconds: float
    """Of the clock; 0 where another version's scores were taken."""
    judging_seconds: float

    @property
    def around(self) -> Surroundings:
        """What the release knows beside an incident."""
        return around(self.release, self.version.plan)

    @property
    def weeks(self) -> float:
        """Of the judged time."""
        return (self.until - self.since) / SECONDS_PER_WEEK


def backtested(
    versions: Sequence[Version], since: int | None = None, until: int | None = None
) -> list[Outcome]:
    """Judge a history by several versions; those that learn alike, from the same values, are scored once.

    Parameters
    ----------
    since, until
        Of the judged time, in seconds since 1970; without them from where none has fitted its threshold, to
        the end.

    Raises
    ------
    InvalidInputError
        If a version is scored by an endpoint, the history is too short, or nothing is left to judge.
    """
    for version in versions:
        check_scores_here(version.name, version.plan)
    since = max(version.judged_from() for version in versions) if since is None else since
    until = min(version.until() for version in versions) if until is None else until
    if since >= until:
        raise InvalidInputError("nothing is left to judge: the time to judge ends before it begins")
    scored: dict[int, tuple[dict[str, ScoredSeries], int, float]] = {}
    outcomes = []
    for at, version in enumerate(versions):
        if at not in scored:
            alike = [
                other for other in range(at, len(versions)) if other == at or _alike(version, versions[other])
            ]
            begun = time.perf_counter()
            found = score_history(
                version.history, [model_of(versions[other].plan) for other in alike], version.plan
            )
            took = time.perf_counter() - begun
            for number, other in enumerate(alike):
                scored.setdefault(other, (found, number, took if other == at else 0.0))
        found, number, took = scored[at]
        begun = time.perf_counter()
        release = release_of(found, version.parts(), version.labels, version.plan)
        release = dataclasses.replace(release, moved=version.moved)
        anomalies = [
            event for event in anomalies_of(found, number, release, since, version.plan) if event.at < until
        ]
        told = told_of(anomalies, release, version.plan)
        outcomes.append(
            Outcome(
                version,
                release,
                tuple(anomalies),
                told.incidents,
                told.notices,
                since,
                until,
                took,
                time.perf_counter() - begun,
            )
        )
    return outcomes


def check_scores_here(name: str, plan: WorkloadPlan) -> None:
    """Refuse a version whose scores an endpoint gives.

    Raises
    ------
    InvalidInputError
        Says what can be done instead.
    """
    if not plan.detector.is_streaming:
        raise InvalidInputError(
            f"{name}: the detector {plan.detector.algorithm} scores at an endpoint, and this comparison asks "
            f"none: {_NOT_HERE[plan.detector.algorithm]}. Judge what it has said already, by `watchkeeper "
            f"export {plan.workload} --output scores.parquet` and `--scores scores.parquet` in place of "
            f"--history; or deploy the version and ask it by `watchkeeper backtest {plan.workload} FILE`; or "
            "compare versions with `detector: {algorithm: watchkeeper}`, which scores here"
        )


def around(release: Release, plan: WorkloadPlan) -> Surroundings:
    """Return what release and plan know of the workload beside an incident."""
    return Surroundings(release.census, release.relations, plan.timestamp.timezone)


def told_of(anomalies: Sequence[AnomalyEvent], release: Release, plan: WorkloadPlan) -> Change:
    """Return the incidents of anomalies that come interval by interval, and what is told of them.

    Those of muted series are in none. That incidents end is not told here: they are known to the end.
    """
    rule, known, mutes = rule_of(plan, release.relations), dict[str, Incident](), plan.alerts.mutes
    anomalies = [event for event in anomalies if mute_of(event.series, event.at, mutes) is None]
    notices: list[IncidentNotice] = []
    reach, levels = rule.longest_reach_seconds(plan.interval_seconds), plan.alerts.routes
    for start, batch in itertools.groupby(anomalies, key=lambda event: event.at):
        near = [each for each in known.values() if each.last + reach >= start]
        change = after_anomalies(
            grown_by(near, list(batch), rule, around(release, plan)),
            watermark=start + plan.interval_seconds,
            closes_after=plan.incidents.closes_after(plan.interval_seconds),
            levels={route.severity_at_least for route in levels},
        )
        for gone in change.merged:
            known.pop(gone.incident_id, None)
        known.update({each.incident_id: each for each in change.incidents})
        notices += change.notices
    found = sorted(known.values(), key=lambda each: (each.opened_at, each.incident_id))
    return Change(tuple(found), (), tuple(notices))


def _alike(one: Version, other: Version) -> bool:
    """Tell whether both make the same scores."""
    return (
        one.history.keys() == other.history.keys()
        and all(_equal(closed, other.history[series]) for series, closed in one.history.items())
        and other.plan.interval_seconds == one.plan.interval_seconds
        and learner_of(model_of(one.plan)) == learner_of(model_of(other.plan))
    )


def _equal(one: Closed, other: Closed) -> bool:
    return one is other or (
        np.array_equal(one.starts, other.starts) and np.array_equal(one.values, other.values)
    )
