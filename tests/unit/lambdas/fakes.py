"""Fakes of what the Lambda functions reach for. Those that have an adapter pass its suite too."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any

from lambdas.adapters.endpoint import ExplainedAnswer, RowRefusedError
from lambdas.adapters.executions import RunningExecution
from lambdas.adapters.incident_store import Book, Sending
from lambdas.adapters.object_store import ListedObject, ObjectUri
from lambdas.adapters.registered_models import RegisteredModel
from lambdas.adapters.release_store import live_first, newer_is_live
from lambdas.adapters.sagemaker_resources import EndpointDescription
from lambdas.alerting.alert import Alert, Announced, Claims
from lambdas.alerting.effects import AlertEffects
from lambdas.alerting.outcomes import Outcome
from lambdas.incidents.effects import GroupingEffects, LiveReleases
from lambdas.scoring.adopting import Adopting
from lambdas.scoring.effects import ScoringEffects
from lambdas.scoring.explaining import Explainers
from lambdas.scoring.pages import Span, StoredPage
from lambdas.scoring.probing import ReleaseCache
from lambdas.scoring.scoring import ObjectReport, score_object
from lambdas.steps.validate_input import ValidationEffects
from tests.unit.lambdas.builders import BUCKET, packed_lines, raw_object
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import QualityEvent
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.layout import history_prefix, raw_prefix, short_hash
from watchkeeper.core.plan import AlertPlan, WorkloadPlan
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.features.contributions import Contribution
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.incidents.feedback import Label, Verdict
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import IncidentNotice
from watchkeeper.incidents.pausing import NO_PAUSES, Pauses, events_of
from watchkeeper.incidents.progress import Change
from watchkeeper.incidents.summary import (
    CHANGED_DETAIL_TYPE,
    IncidentSummary,
    LiveEvent,
    event_of,
    summary_of,
)
from watchkeeper.incidents.unanswered import UNANSWERED_DETAIL_TYPE, Unanswered
from watchkeeper.judgement.moved import NOTHING_MOVED, MovedThresholds
from watchkeeper.kinds import AnyPlan, AnyRelease, anomaly_plan, fraud_plan, readers_in
from watchkeeper.lifecycle.release import Release
from watchkeeper.lifecycle.run import TrainingRun
from watchkeeper.stream.page import Page
from watchkeeper.stream.page_format import from_bytes, to_bytes
from watchkeeper.stream.takeover import SeriesState

WRITTEN_AT = datetime(2024, 1, 2, 3, 4, tzinfo=timezone.utc)
"""When objects were written, as the fake lists them."""


class CrashError(Exception):
    """The process died."""


@dataclass
class Timeline:
    """Counts effects. Each has two moments, before and after; an action may be set for one of them."""

    moment: int = 0
    actions: dict[int, Callable[[], object]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def at(self, moment: int, action: Callable[[], object]) -> int:
        """Do something at a moment from now on, once; return which one that is."""
        self.actions[self.moment + moment] = action
        return self.moment + moment

    def crash_at(self, moment: int) -> int:
        """Die at a moment from now on; return which one that is."""

        def die() -> None:
            raise CrashError

        return self.at(moment, die)

    def cancel(self, moment: int) -> bool:
        """Take back what has not happened, and tell whether there was something."""
        return self.actions.pop(moment, None) is not None

    def around(self, effect: Callable[[], Any]) -> Any:
        """Have an effect, with what is to happen before and after it."""
        with self.lock:
            self._tick()
            result = effect()
            self._tick()
            return result

    def _tick(self) -> None:
        action = self.actions.pop(self.moment, None)
        self.moment += 1
        if action:
            action()


@dataclass
class FakePlanStore:
    plans: dict[str, Any]

    def plan_of(self, workload: str) -> WorkloadPlan:
        return anomaly_plan(self._plan_of(workload))

    def fraud_plan_of(self, workload: str) -> FraudPlan:
        return fraud_plan(self._plan_of(workload))

    def any_plan_of(self, workload: str) -> AnyPlan:
        return self._plan_of(workload)

    def alerts_of(self, workload: str) -> AlertPlan:
        plan = self._plan_of(workload)
        return plan.alerts if isinstance(plan, FraudPlan) else anomaly_plan(plan).alerts

    def timezone_of(self, workload: str) -> str:
        plan = self._plan_of(workload)
        return (plan if isinstance(plan, FraudPlan) else anomaly_plan(plan)).timestamp.timezone

    def readers_of(self, workload: str) -> tuple[str, ...]:
        return readers_in(self._plan_of(workload))

    def deployed_plan_of(self, workload: str, digest: str) -> AnyPlan:
        return self._plan_of(workload)

    def _plan_of(self, workload: str) -> AnyPlan:
        if workload not in self.plans:
            raise InvalidInputError(f"workload {workload!r} is not deployed")
        plan: AnyPlan = self.plans[workload]
        return plan


@dataclass
class FakeObjectStore:
    timeline: Timeline = field(default_factory=Timeline)
    objects: dict[ObjectUri, bytes] = field(default_factory=dict)

    def read(self, uri: ObjectUri, version_id: str | None = None) -> bytes | None:
        return self.timeline.around(lambda: self.objects.get(uri))  # type: ignore[no-any-return]

    def write(self, uri: ObjectUri, body: bytes) -> None:
        self.timeline.around(lambda: self.objects.update({uri: body}))

    def write_once(self, uri: ObjectUri, body: bytes) -> bytes:
        return self.timeline.around(lambda: self.objects.setdefault(uri, body))  # type: ignore[no-any-return]

    def exists(self, uri: ObjectUri) -> bool:
        return self.timeline.around(lambda: uri in self.objects)  # type: ignore[no-any-return]

    def any_under(self, prefix: ObjectUri) -> bool:
        return any(uri.bucket == prefix.bucket and uri.key.startswith(prefix.key) for uri in self.objects)

    def keys_under(self, prefix: ObjectUri, after: str = "") -> list[str]:
        return sorted(
            uri.key
            for uri in self.objects
            if uri.bucket == prefix.bucket and uri.key.startswith(prefix.key) and uri.key > after
        )

    def listed(self, prefix: ObjectUri) -> list[ListedObject]:
        return [
            ListedObject(key, short_hash(str(body)), len(body), WRITTEN_AT)
            for key in self.keys_under(prefix)
            for body in [self.objects[ObjectUri(prefix.bucket, key)]]
        ]

    def under(self, prefix: str) -> dict[str, bytes]:
        """Objects of the bucket by key."""
        return {uri.key: body for uri, body in self.objects.items() if uri.key.startswith(prefix)}


@dataclass
class FakePageStore:
    """Pages as bytes; a tag is how often a page was written."""

    timeline: Timeline = field(default_factory=Timeline)
    pages: dict[tuple[str, str], tuple[bytes, int]] = field(default_factory=dict)
    said: dict[tuple[str, str], Span | None] = field(default_factory=dict)
    contests: int = 0
    """Another worker writes before each of the next so many writes of pages that exist."""

    def load(self, workload: str, shelf: str) -> StoredPage | None:
        return self.timeline.around(lambda: self._load(workload, shelf))  # type: ignore[no-any-return]

    def save(self, page: Page, seen: str | None, due: Span | None = None) -> str | None:
        tag: str | None = self.timeline.around(lambda: self._save(page, seen))
        if tag is not None:
            self.said[page.workload, page.shelf] = due
        return tag

    def due(self, workload: str, shelf: str) -> Span | None:
        return self.said.get((workload, shelf))

    def page(self, shelf: str = "") -> Page:
        """The page of a shelf of the one workload that has one."""
        [content] = [content for (_, name), (content, _) in self.pages.items() if name == shelf]
        return from_bytes(content)

    def _load(self, workload: str, shelf: str) -> StoredPage | None:
        if (workload, shelf) not in self.pages:
            return None
        content, written = self.pages[workload, shelf]
        return StoredPage(from_bytes(content), str(written))

    def _save(self, page: Page, seen: str | None) -> str | None:
        key = (page.workload, page.shelf)
        content, written = self.pages.get(key, (b"", 0))
        if self.contests and written:
            self.contests -= 1
            self.pages[key] = (content, written + 1)
            written += 1
        if seen != (str(written) if written else None):
            return None
        self.pages[key] = (to_bytes(page), written + 1)
        return str(written + 1)


@dataclass
class FakeEarlierStates:
    states: dict[str, SeriesState] = field(default_factory=dict)

    def load(self, workload: str, series: Sequence[str]) -> dict[str, SeriesState]:
        return {name: self.states[name] for name in series if name in self.states}


@dataclass
class FakeReleaseStore:
    runs: dict[tuple[str, str], AnyRelease] = field(default_factory=dict)
    pointers: dict[str, tuple[AnyRelease, AnyRelease | None]] = field(default_factory=dict)
    feedback: dict[str, MovedThresholds] = field(default_factory=dict)

    def live(self, workload: str) -> AnyRelease | None:
        return self.pointers[workload][0] if workload in self.pointers else None

    def of_run(self, workload: str, run_id: str) -> AnyRelease | None:
        return self.runs.get((workload, run_id))

    def staged(self, workload: str) -> list[AnyRelease]:
        found = [release for (name, _), release in self.runs.items() if name == workload]
        return sorted(found, key=lambda release: release.run_id)

    def candidates(self, workload: str) -> list[Release]:
        return live_first(self.live(workload), self.staged(workload), self.moved(workload))

    def moved(self, workload: str) -> MovedThresholds:
        return self.feedback.get(workload, NOTHING_MOVED)

    def stage(self, release: AnyRelease) -> None:
        self.runs[release.workload, release.run_id] = release

    def publish(self, release: AnyRelease) -> AnyRelease | None:
        live, _ = self.pointers.get(release.workload, (None, None))
        if live and live.run_id > release.run_id:
            raise newer_is_live(release, live)
        return self.go_back(release)

    def go_back(self, release: AnyRelease) -> AnyRelease | None:
        live, previous = self.pointers.get(release.workload, (None, None))
        if live and live.run_id == release.run_id:
            return previous
        self.pointers[release.workload] = (release, live)
        return live

    def remove(self, workload: str, run_id: str) -> None:
        self.runs.pop((workload, run_id), None)

    def release(self, release: Release) -> None:
        """Stage and publish."""
        self.stage(release)
        self.publish(release)


@dataclass
class FakeEndpoint:
    """The score is a tenth of the value, but for the probe of the release that serves. 666 is refused."""

    release: Release | None = None
    timeline: Timeline = field(default_factory=Timeline)
    requests: list[list[str]] = field(default_factory=list)
    names_record: bool = True
    failure: Exception | None = None
    unavailable_for: str | None = None
    """Requests with this text fail."""

    def predict(self, endpoint: str, rows: Sequence[str]) -> tuple[float, ...]:
        return tuple(-score for score in self.score(endpoint, rows))

    def score(self, endpoint: str, rows: Sequence[str]) -> tuple[float, ...]:
        return self.timeline.around(lambda: self._score(rows))  # type: ignore[no-any-return]

    def explain(self, endpoint: str, rows: Sequence[str]) -> tuple[ExplainedAnswer, ...]:
        """Half of each score is the range, half the pattern."""
        return tuple(
            ExplainedAnswer(
                score,
                tuple(Contribution(part, "pressure", 0, score / 2) for part in ("range", "pattern")),
            )
            for score in self.score(endpoint, rows)
        )

    def _score(self, rows: Sequence[str]) -> tuple[float, ...]:
        self.requests.append(list(rows))
        if self.failure:
            raise self.failure
        if self.unavailable_for and any(self.unavailable_for in row for row in rows):
            raise UnavailableError("the model is busy")
        values = [float(row.split(",")[2]) for row in rows]
        for position, value in enumerate(values):
            if value == 666.0:
                raise RowRefusedError("bad luck", position if self.names_record else None)
        return tuple(map(self._row_score, rows, values))

    def _row_score(self, row: str, value: float) -> float:
        if self.release and row == self.release.probe_row:
            return self.release.probe_score
        return abs(value) / 10


@dataclass
class FakeSink:
    timeline: Timeline = field(default_factory=Timeline)
    puts: list[AnomalyEvent] = field(default_factory=list)

    def put(self, events: Sequence[AnomalyEvent]) -> None:
        self.timeline.around(lambda: self.puts.extend(events))

    @property
    def events(self) -> dict[str, AnomalyEvent]:
        """What is in the end, repetitions removed by id."""
        return {event.anomaly_id: event for event in self.puts}


@dataclass
class FakeQualitySink:
    timeline: Timeline = field(default_factory=Timeline)
    puts: list[QualityEvent] = field(default_factory=list)

    def put(self, events: Sequence[QualityEvent]) -> None:
        self.timeline.around(lambda: self.puts.extend(events))


@dataclass
class FakeThrottle:
    timeline: Timeline = field(default_factory=Timeline)
    claims: dict[tuple[str, str], Claims] = field(default_factory=dict)

    def claim(self, event: Announced, channel: str, throttle_seconds: int) -> bool:
        return self.timeline.around(lambda: self._claim(event, channel, throttle_seconds))  # type: ignore[no-any-return]

    def _claim(self, event: Announced, channel: str, throttle_seconds: int) -> bool:
        key = (event.series, channel)
        self.claims[key] = self.claims.get(key, Claims()).with_claim(
            event.alert_id, event.at, throttle_seconds
        )
        return self.claims[key].holds(event.alert_id)


@dataclass
class FakeTopic:
    timeline: Timeline = field(default_factory=Timeline)
    alerts: list[Alert] = field(default_factory=list)

    def publish(self, alert: Alert) -> None:
        self.timeline.around(lambda: self.alerts.append(alert))


@dataclass
class FakeToldChannels:
    timeline: Timeline = field(default_factory=Timeline)
    channels: dict[str, set[str]] = field(default_factory=dict)

    def add(self, incident: Incident, channels: Sequence[str]) -> None:
        told = self.channels.setdefault(incident.incident_id, set())
        self.timeline.around(lambda: told.update(channels))

    def of(self, incident: Incident) -> set[str]:
        ids = (incident.incident_id, *incident.former_ids)
        return set().union(*(self.channels.get(each, set()) for each in ids))


LOGGED_AT = datetime(2026, 11, 30, tzinfo=timezone.utc)


@dataclass
class FakeUnanswered:
    timeline: Timeline = field(default_factory=Timeline)
    waiting: dict[str, Unanswered] = field(default_factory=dict)

    def add(self, waiting: Unanswered) -> None:
        self.timeline.around(lambda: self.waiting.update({waiting.key: waiting}))

    def due(self, now: datetime) -> list[Unanswered]:
        return [each for key, each in sorted(self.waiting.items()) if parse_instant(each.due_at) <= now]

    def forget(self, waiting: Unanswered) -> None:
        self.timeline.around(lambda: self.waiting.pop(waiting.key, None))


@dataclass
class FakeOutcomes:
    known: dict[tuple[str, str], Outcome] = field(default_factory=dict)

    def add(self, test_id: str, place: str, outcome: Outcome) -> None:
        self.known[test_id, place] = outcome

    def find(self, test_id: str, place: str) -> Outcome | None:
        return self.known.get((test_id, place))


@dataclass
class FakeIncidentStore:
    timeline: Timeline = field(default_factory=Timeline)
    kept: dict[str, Book] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    outbox: dict[tuple[str, str], Sending] = field(default_factory=dict)
    said: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    marked: dict[tuple[str, str], Label] = field(default_factory=dict)
    log: dict[tuple[str, int], list[LiveEvent]] = field(default_factory=dict)
    moved: dict[str, MovedThresholds] = field(default_factory=dict)
    paused: dict[str, Pauses] = field(default_factory=dict)

    def books(self) -> dict[str, Book]:
        return dict(self.kept)

    def all_pauses(self) -> dict[str, Pauses]:
        return dict(self.paused)

    def pauses(self, workload: str) -> Pauses:
        return self.paused.get(workload, NO_PAUSES)

    def book(self, workload: str) -> Book:
        return self.kept.get(workload, Book())

    def between(self, workload: str, since: int, until: int, *, open_only: bool = False) -> list[Incident]:
        found = [
            each
            for each in self.incidents.values()
            if each.workload == workload and since <= each.opened <= until and each.merged_into is None
        ]
        return sorted(
            (each for each in found if each.is_open or not open_only),
            key=lambda each: (each.opened, each.incident_id),
        )

    def find(self, incident_id: str) -> Incident | None:
        incident = self.incidents.get(incident_id)
        if incident is None or incident.merged_into is None:
            return incident
        return self.find(incident.merged_into)

    def commit(self, workload: str, seen: Book, now: Book, change: Change) -> bool:
        return bool(self.timeline.around(lambda: self._commit(workload, seen, now, change)))

    def _commit(self, workload: str, seen: Book, now: Book, change: Change) -> bool:
        if self.book(workload) != seen:
            return False
        self.kept[workload] = replace(now, changes=seen.changes + 1)
        self.incidents.update((each.incident_id, each) for each in change.incidents)
        self.said.update(((workload, each.incident_id), each) for each in change.verdicts)
        for each in change.withdrawn:
            self.said.pop((workload, each.incident_id), None)
        if change.moved is not None:
            self.moved[workload] = change.moved
        self.marked.update(((workload, each.label_id), each) for each in change.labels)
        for label in change.unlabelled:
            self.marked.pop((workload, label.label_id), None)
        number = seen.changes + 1
        latest = {each.incident_id: each for each in change.incidents}
        events = [event_of(each, number, LOGGED_AT) for each in (*latest.values(), *change.merged)]
        if change.pauses is not None:
            events += events_of(workload, self.pauses(workload), change.pauses, number, LOGGED_AT)
            self.paused[workload] = change.pauses
        events += [each.event(workload, number, LOGGED_AT) for each in change.told]
        self.log[workload, number] = events
        if change.merged or change.notices or events:
            merged = tuple(replace(each, touched=()) for each in change.merged)
            self.outbox[workload, f"{number:012}"] = Sending(
                merged, change.notices, tuple(each.to_dict() for each in events)
            )
        return True

    def newest(
        self, workload: str, since: int, until: int, most: int, before: str | None = None
    ) -> tuple[list[IncidentSummary], str | None]:
        keys = {
            f"at#{each.opened_at}#{each.incident_id}": each
            for each in self.incidents.values()
            if each.workload == workload and since <= each.opened <= until
        }
        left = sorted((key for key in keys if before is None or key < before), reverse=True)
        found = [keys[key] for key in left[:most]]
        end = left[most - 1] if len(left) > most else None
        return [summary_of(each) for each in found if each.merged_into is None], end

    def changes(self, workload: str, after: int, most: int) -> list[tuple[int, list[LiveEvent]]]:
        found = sorted((number, events) for (name, number), events in self.log.items() if name == workload)
        return [(number, events) for number, events in found if number > after][:most]

    def labels(self, workload: str) -> list[Label]:
        return [label for (name, _), label in sorted(self.marked.items()) if name == workload]

    def verdicts(self, workload: str) -> list[Verdict]:
        return [verdict for (name, _), verdict in sorted(self.said.items()) if name == workload]

    def unsent(self, workload: str) -> list[tuple[str, Sending]]:
        return [(key, sending) for (name, key), sending in sorted(self.outbox.items()) if name == workload]

    def point(self, merged: Sequence[Incident]) -> None:
        for incident in merged:
            self.timeline.around(partial(self.incidents.update, {incident.incident_id: incident}))

    def sent(self, workload: str, key: str) -> None:
        self.timeline.around(lambda: self.outbox.pop((workload, key), None))


@dataclass
class FakeBus:
    timeline: Timeline = field(default_factory=Timeline)
    events: list[tuple[str, IncidentNotice]] = field(default_factory=list)
    live: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Unanswered] = field(default_factory=list)

    def put(self, detail_type: str, details: Sequence[str]) -> None:
        if detail_type == CHANGED_DETAIL_TYPE:
            told = [event for detail in details for event in json.loads(detail)["events"]]
            self.timeline.around(lambda: self.live.extend(told))
            return
        if detail_type == UNANSWERED_DETAIL_TYPE:
            waiting = list(map(Unanswered.from_json, details))
            self.timeline.around(lambda: self.asked.extend(waiting))
            return
        read = [(detail_type, IncidentNotice.from_json(detail)) for detail in details]
        self.timeline.around(lambda: self.events.extend(read))


@dataclass
class RememberedEvents:
    """`EventBus` that remembers."""

    events: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False

    def put(self, detail_type: str, details: Sequence[str]) -> None:
        if self.down:
            raise UnavailableError("the bus does not answer")
        self.events += [{"type": detail_type, **json.loads(detail)} for detail in details]


@dataclass
class GroupingFakes:
    """All fakes of `group_anomalies` on one timeline."""

    plan: WorkloadPlan
    timeline: Timeline = field(default_factory=Timeline)

    def __post_init__(self) -> None:
        self.store = FakeIncidentStore(self.timeline)
        self.releases = FakeReleaseStore()
        self.bus = FakeBus(self.timeline)
        self.unanswered = FakeUnanswered(self.timeline)
        self.effects = GroupingEffects(
            plans=FakePlanStore({self.plan.workload: self.plan}),
            incidents=self.store,
            releases=LiveReleases(self.releases),
            bus=self.bus,
            unanswered=self.unanswered,
            pause=lambda attempt: None,
        )


@dataclass
class FakeRegisteredModels:
    """`RegisteredModels` of a dictionary."""

    versions: dict[int, RegisteredModel] = field(default_factory=dict)

    def of_version(self, version: int) -> RegisteredModel | None:
        return self.versions.get(version)


@dataclass
class FakeLogGroups:
    settled: list[str] = field(default_factory=list)

    def settle(self, name: str) -> None:
        self.settled.append(name)


@dataclass
class FakeResources:
    models: set[str] = field(default_factory=set)
    endpoint_configs: dict[str, dict[str, float]] = field(default_factory=dict)
    endpoints: dict[str, EndpointDescription] = field(default_factory=dict)
    packages: dict[str, tuple[bool, str]] = field(default_factory=dict)
    """Of a package that was judged: whether it is approved, and the reason."""

    def judge_package(self, arn: str, *, approved: bool, reason: str) -> None:
        self.packages[arn] = (approved, reason)

    def model_exists(self, name: str) -> bool:
        return name in self.models

    def endpoint(self, name: str) -> EndpointDescription | None:
        return self.endpoints.get(name)

    def configured_weights(self, endpoint_config: str) -> dict[str, float] | None:
        return self.endpoint_configs.get(endpoint_config)

    def update_endpoint(self, name: str, endpoint_config: str) -> None:
        weights = self.endpoint_configs[endpoint_config]
        self.endpoints[name] = EndpointDescription("InService", endpoint_config, "", weights)

    def remove_model(self, name: str) -> bool:
        existed = name in self.models
        self.models.discard(name)
        return existed

    def remove_endpoint_config(self, name: str) -> bool:
        return self.endpoint_configs.pop(name, None) is not None

    def remove_endpoint(self, name: str) -> bool:
        return self.endpoints.pop(name, None) is not None


@dataclass
class ScoringFakes:
    """All fakes of `score_telemetry` on one timeline."""

    plan: WorkloadPlan
    release: Release | None
    timeline: Timeline = field(default_factory=Timeline)
    shelf_series: int = 1024

    def deliver(self, name: str, *lines: str) -> ObjectReport:
        """Score an object with these lines."""
        source = raw_object(name)
        self.objects.objects[ObjectUri(BUCKET, source.key)] = packed_lines(lines)
        return score_object(source, self.effects)

    def __post_init__(self) -> None:
        self.objects = FakeObjectStore(self.timeline)
        self.pages = FakePageStore(self.timeline)
        self.earlier = FakeEarlierStates()
        self.releases = FakeReleaseStore()
        if self.release:
            self.releases.release(self.release)
        self.endpoint = FakeEndpoint(self.release, self.timeline)
        self.anomalies = FakeSink(self.timeline)
        self.alerts = FakeSink(self.timeline)
        self.quality = FakeQualitySink(self.timeline)
        self.pauses: list[int] = []
        self.effects = ScoringEffects(
            bucket=BUCKET,
            plans=FakePlanStore({self.plan.workload: self.plan}),
            objects=self.objects,
            pages=self.pages,
            earlier=self.earlier,
            releases=ReleaseCache(self.releases),
            endpoint=self.endpoint,
            explainers=Explainers(self.objects, self.endpoint),
            adopting=Adopting(self.objects, BUCKET),
            anomalies=self.anomalies,
            alerts=self.alerts,
            quality=self.quality,
            for_each=one_by_one,
            pause=self.pauses.append,
            shelf_series=self.shelf_series,
        )


@dataclass
class FakeLinkKeys:
    """`LinkKeys`; the first one signs."""

    keys: tuple[bytes, ...] = (b"k" * 32,)

    def signing(self) -> bytes:
        return self.keys[0]

    def accepted(self) -> tuple[bytes, ...]:
        return self.keys


@dataclass
class AlertFakes:
    """All fakes of `publish_alert` on one timeline."""

    plan: WorkloadPlan | FraudPlan
    timeline: Timeline = field(default_factory=Timeline)

    def __post_init__(self) -> None:
        self.throttle = FakeThrottle(self.timeline)
        self.told = FakeToldChannels(self.timeline)
        self.incidents = FakeIncidentStore()
        self.unanswered = FakeUnanswered(self.timeline)
        self.outcomes = FakeOutcomes()
        self.topic = FakeTopic(self.timeline)
        self.effects = AlertEffects(
            plans=FakePlanStore({self.plan.workload: self.plan}),
            throttle=self.throttle,
            told=self.told,
            incidents=self.incidents,
            unanswered=self.unanswered,
            outcomes=self.outcomes,
            topic=self.topic,
            dashboard="https://example.com/dashboard",
            link_keys=FakeLinkKeys(),
            answer_page=lambda: "https://example.com/watch/answers",
        )


@dataclass
class FakeExecutions:
    listed: list[RunningExecution] = field(default_factory=list)

    def running(self, state_machine_arn: str) -> list[RunningExecution]:
        return self.listed


def validation_effects(plan: AnyPlan, *live: AnyRelease, **objects: bytes) -> ValidationEffects:
    """Effects of `validate_input` with objects under the workload's `history` or `raw` prefix."""
    prefixes = {"history": history_prefix(plan.workload), "raw": raw_prefix(plan.workload)}
    store, releases = FakeObjectStore(), FakeReleaseStore()
    for name, body in objects.items():
        store.objects[ObjectUri(BUCKET, f"{prefixes[name]}a.csv")] = body
    for release in live:
        releases.publish(release)
    return ValidationEffects(
        bucket=BUCKET,
        executions=FakeExecutions(),
        incidents=FakeIncidentStore(),
        objects=store,
        plans=FakePlanStore({plan.workload: plan}),
        registered=FakeRegisteredModels(),
        releases=releases,
        resources=FakeResources(models={release.model for release in live}),
    )


def run_documents(run: TrainingRun, **documents: str) -> FakeObjectStore:
    """Objects of a run: its `plan`, `evaluation`, `smoke` and `analysis`."""
    places = {
        "plan": run.uris.plan,
        "evaluation": f"{run.uris.evaluation}evaluation.json",
        "smoke": f"{run.uris.evaluation}smoke.json",
        "analysis": f"{run.uris.explanations}analysis.json",
    }
    store = FakeObjectStore()
    for name, text in documents.items():
        store.objects[ObjectUri.parse(places[name])] = text.encode()
    return store


def one_by_one(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """`ForEach` without threads."""
    return [function(item) for item in items]
