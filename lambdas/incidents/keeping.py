"""Anomalies are taken into their workload's incidents, and incidents are closed after quiet.

Whatever changes is written under the workload's book, and begun anew where another worker was faster. What is
to be made known is in the table when the change is; it is sent then, and again by who finds it there still.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

from lambdas.adapters.event_bus import EventBus
from lambdas.adapters.incident_store import MOST_CHANGED, Book, IncidentStore
from lambdas.incidents.effects import GroupingEffects
from lambdas.incidents.responding import under_lock
from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause, pause_with_jitter
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.incidents.grouping import grown_by, rule_of
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import DETAIL_TYPES
from watchkeeper.incidents.progress import Change, after_anomalies, closed, together
from watchkeeper.incidents.summary import CHANGED_DETAIL_TYPE, Told
from watchkeeper.incidents.unanswered import UNANSWERED_DETAIL_TYPE
from watchkeeper.telemetry.selection import mute_of

EVENTS_AT_ONCE = 50
"""Live events in one event of the bus: each has 2 KB at most."""
FORSAKEN_SECONDS = 3600
"""Incidents of a workload that is no more close after so long without an anomaly."""


def take_in(workload: str, events: Sequence[AnomalyEvent], arrived: int, effects: GroupingEffects) -> Change:
    """Take anomalies of one workload in; again changes nothing. Those of muted or paused series are left out.

    Parameters
    ----------
    arrived
        When the latest came, in seconds since 1970.

    Returns
    -------
    Change
        What was changed, for the log.

    Raises
    ------
    InvalidInputError
        If there is no such workload, or an anomaly's series is none.
    UnavailableError
        If something does not answer, or others write all the time.
    """
    plan = effects.plans.plan_of(workload)
    pauses = effects.incidents.pauses(workload)
    events = [
        event
        for event in events
        if mute_of(event.series, event.at, plan.alerts.mutes) is None
        and not pauses.keep_quiet(event.series, event.at, event.interval_seconds, arrived)
    ]
    if not events:
        return Change()
    for attempt in range(MAX_ATTEMPTS):
        book = effects.incidents.book(workload)
        send(workload, effects)  # before anything is read that a change of before is about
        change, now = _taken_in(plan, book, events, arrived, effects)
        if not change.incidents:
            return change
        if len({each.incident_id for each in change.incidents}) > MOST_CHANGED and len(events) > 1:
            middle = len(events) // 2
            halves = (events[:middle], events[middle:])
            return together([take_in(workload, half, arrived, effects) for half in halves])
        if effects.incidents.commit(workload, book, now, change):
            send(workload, effects)
            return change
        effects.pause(attempt)
    raise UnavailableError(f"incidents of {workload} changed {MAX_ATTEMPTS} times while they were written")


def close_quiet(now: int, effects: GroupingEffects) -> Change:
    """Close the incidents of every workload of which no anomaly has come for long enough.

    Parameters
    ----------
    now
        Seconds since 1970.

    Raises
    ------
    UnavailableError
        If that could not be done for some workload; it was tried for all.
    """
    changes = {}
    failures: list[UnavailableError] = []
    for workload in effects.incidents.books():
        with _collected(failures):
            changes[workload] = _close_quiet(workload, now, effects)
    if failures:
        raise UnavailableError("; ".join(map(str, failures))) from failures[0]
    return together(list(changes.values()))


@contextmanager
def _collected(failures: list[UnavailableError]) -> Iterator[None]:
    try:
        yield
    except UnavailableError as error:
        failures.append(error)


def ask_for_answers(now: int, effects: GroupingEffects) -> int:
    """Ask who tells of incidents to look at those whose time to be answered is over; return how many.

    Who hears it twice, since this function died in between, knows each by its key.
    """
    due = effects.unanswered.due(EPOCH + timedelta(seconds=now))
    if due:
        effects.bus.put(UNANSWERED_DETAIL_TYPE, [each.to_json() for each in due])
    for each in due:
        effects.unanswered.forget(each)
    return len(due)


class Telling(Protocol):
    """What making known needs."""

    @property
    def incidents(self) -> IncidentStore:
        """Incidents, and what is not sent yet."""

    @property
    def bus(self) -> EventBus:
        """The alert bus."""


def send(workload: str, effects: Telling) -> None:
    """Make known what changes have left to be made known. Who hears it removes repetitions by `alert_id`."""
    for key, sending in effects.incidents.unsent(workload):
        effects.incidents.point(sending.merged)
        for what, detail_type in DETAIL_TYPES.items():
            details = [notice.to_json() for notice in sending.notices if notice.what == what]
            if details:
                effects.bus.put(detail_type, details)
        if sending.events:
            effects.bus.put(CHANGED_DETAIL_TYPE, list(_changed(workload, sending.events)))
        effects.incidents.sent(workload, key)


def tell(workload: str, told: Told, effects: Telling, pause: Pause = pause_with_jitter) -> None:
    """Write into the log of a workload's changes what somebody did, and make it known.

    Raises
    ------
    UnavailableError
        If others write all the time.
    """
    under_lock(effects.incidents, workload, lambda: (None, Change(told=(told,))), pause)
    send(workload, effects)


def _changed(workload: str, events: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Return live events as details of events of the bus."""
    for first in range(0, len(events), EVENTS_AT_ONCE):
        yield json.dumps({"workload": workload, "events": events[first : first + EVENTS_AT_ONCE]})


def _taken_in(
    plan: WorkloadPlan, book: Book, events: Sequence[AnomalyEvent], arrived: int, effects: GroupingEffects
) -> tuple[Change, Book]:
    around = effects.releases.around(plan)
    closes_after = plan.incidents.closes_after(plan.interval_seconds)
    rule = rule_of(plan, around.relations)
    reach = max(rule.longest_reach_seconds(event.interval_seconds) for event in events)
    earliest, latest = min(event.at for event in events), max(event.at for event in events)
    near = effects.incidents.between(plan.workload, earliest - reach - book.longest_seconds, latest + reach)
    grown = grown_by(near, events, rule, around)
    if not grown:
        return Change(), book
    watermark = max(book.last, *(event.at + event.interval_seconds for event in events))
    levels = {route.severity_at_least for route in plan.alerts.routes}
    change = after_anomalies(
        grown, watermark=watermark, closes_after=closes_after, levels=levels, arrived=arrived
    )
    gone = {incident.incident_id for each in grown for incident in each.before}
    still = [each for each in _still_open(plan.workload, book, effects) if each.incident_id not in gone]
    quiet_since = watermark - closes_after
    room = max(0, MOST_CHANGED - len(change.incidents))  # what has none closes with the next change
    over = [each for each in change.incidents if each.last <= quiet_since]
    over += [each for each in still if each.last <= quiet_since][:room]
    change = together([change, closed(over, closes_after)])
    final = {each.incident_id: each for each in (*still, *change.incidents)}
    now = Book(
        longest_seconds=max(book.longest_seconds, *(each.last - each.opened for each in change.incidents)),
        open_since=_open_since(final.values()),
        open_count=_open_count(final.values()),
        last=watermark,
        arrived=max(book.arrived, arrived),
    )
    return change, now


def _close_quiet(workload: str, now: int, effects: GroupingEffects) -> Change:
    changes: list[Change] = []
    try:
        plan = effects.plans.plan_of(workload)
    except InvalidInputError:
        closes_after = wait = FORSAKEN_SECONDS
    else:
        closes_after = plan.incidents.closes_after(plan.interval_seconds)
        wait = closes_after + plan.interval_seconds + plan.lateness_seconds + plan.delivery_seconds
    attempt = 0
    while attempt < MAX_ATTEMPTS:
        book = effects.incidents.book(workload)
        send(workload, effects)
        if book.open_since is None or now - book.arrived < wait:
            return together(changes)
        still = _still_open(workload, book, effects)
        change = closed(still[:MOST_CHANGED], closes_after)
        after = Book(
            longest_seconds=book.longest_seconds,
            open_since=_open_since(still[MOST_CHANGED:]),
            open_count=_open_count(still[MOST_CHANGED:]),
            last=book.last,
            arrived=book.arrived,
        )
        if effects.incidents.commit(workload, book, after, change):
            changes.append(change)
        else:
            attempt += 1
            effects.pause(attempt)
    raise UnavailableError(f"incidents of {workload} changed {MAX_ATTEMPTS} times while they were closed")


def _still_open(workload: str, book: Book, effects: GroupingEffects) -> list[Incident]:
    if book.open_since is None:
        return []
    return effects.incidents.between(workload, book.open_since, book.last, open_only=True)


def _open_count(incidents: Iterable[Incident]) -> int:
    return sum(each.is_open for each in incidents)


def _open_since(incidents: Iterable[Incident]) -> int | None:
    return min((each.opened for each in incidents if each.is_open), default=None)
