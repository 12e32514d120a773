"""Pauses: when nothing is told of a workload or a series."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.watchkeeper.shelves import PLAN
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.incidents.pausing import (
    KEPT_SECONDS,
    MOST_PAUSES,
    NO_PAUSES,
    Pauses,
    events_of,
    paused,
    resumed,
    with_pauses,
)
from watchkeeper.telemetry.selection import mute_of

NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
SERIES = "m|device=a"


def at(moment: datetime) -> int:
    return epoch_seconds(moment)


def quiet(pauses: Pauses, series: str, start: datetime, arrived: datetime | None = None) -> bool:
    """Whether an anomaly of an interval of five minutes is kept to oneself."""
    return pauses.keep_quiet(series, at(start), 300, at(arrived or start + timedelta(minutes=6)))


def test_nothing_is_told_of_what_is_found_while_it_is_paused_nor_of_its_time_afterwards() -> None:
    pauses = paused(NO_PAUSES, None, None, "ada", NOW, "maintenance")
    assert quiet(pauses, SERIES, NOW)
    assert quiet(pauses, SERIES, NOW - timedelta(days=3), arrived=NOW), "a replay of history"
    after = resumed(pauses, None, "bo", LATER)
    assert quiet(after, SERIES, NOW + timedelta(hours=1), arrived=LATER + timedelta(days=1))
    assert not quiet(after, SERIES, LATER)
    assert not quiet(after, SERIES, NOW - timedelta(minutes=10))
    assert (after.items[0].who, after.items[0].resumed_by) == ("ada", "bo")


def test_a_series_is_paused_alone_and_resumed_with_its_workload() -> None:
    pauses = paused(NO_PAUSES, SERIES, None, "ada", NOW)
    assert quiet(pauses, SERIES, NOW)
    assert not quiet(pauses, "m|device=b", NOW)
    assert not pauses.of_all(at(NOW))
    assert resumed(pauses, "m|device=b", "bo", LATER) == pauses
    assert resumed(pauses, None, "bo", LATER).now(LATER) == []


def test_a_pause_ends_by_itself() -> None:
    pauses = paused(NO_PAUSES, None, LATER, "ada", NOW)
    assert pauses.of_all(at(LATER) - 1)
    assert not pauses.of_all(at(LATER))
    assert resumed(pauses, None, "bo", LATER) == pauses


def test_the_same_again_changes_nothing_and_another_end_replaces_the_first() -> None:
    pauses = paused(NO_PAUSES, None, LATER, "ada", NOW, "x")
    soon = NOW + timedelta(minutes=1)
    assert paused(pauses, None, LATER, "bo", soon, "x") == pauses
    longer = paused(pauses, None, None, "bo", soon, "x")
    [one] = longer.items
    assert (one.since, one.until, one.who) == (pauses.items[0].since, None, "bo")


def test_what_makes_no_sense_is_refused_with_a_remedy() -> None:
    with pytest.raises(InvalidInputError, match="is past: name a time"):
        paused(NO_PAUSES, None, NOW, "ada", NOW)
    many = NO_PAUSES
    for number in range(MOST_PAUSES):
        many = Pauses((*many.items, *paused(NO_PAUSES, f"m|device={number}", None, "ada", NOW).items))
    with pytest.raises(InvalidInputError, match="pause all of it"):
        paused(many, SERIES, None, "ada", NOW)


def test_old_pauses_are_forgotten_by_the_next_change() -> None:
    old = resumed(paused(NO_PAUSES, None, None, "ada", NOW), None, "ada", LATER)
    much_later = LATER + timedelta(seconds=KEPT_SECONDS + 1)
    assert [one.series for one in paused(old, SERIES, None, "bo", much_later).items] == [SERIES]


def test_paused_series_are_muted_where_series_are_listed() -> None:
    pauses = paused(NO_PAUSES, SERIES, None, "ada", NOW)
    plan = with_pauses(PLAN, pauses, NOW)
    assert mute_of(SERIES, at(NOW), plan.alerts.mutes) is not None
    assert mute_of("m|device=b", at(NOW), plan.alerts.mutes) is None
    assert with_pauses(PLAN, NO_PAUSES, NOW) is PLAN


def test_a_change_tells_what_began_and_what_ended() -> None:
    first = paused(NO_PAUSES, None, None, "ada", NOW)
    [begun] = events_of("w", NO_PAUSES, first, 3, NOW)
    [ended] = events_of("w", first, resumed(first, None, "bo", LATER), 4, LATER)
    assert (begun.kind, begun.detail["until"]) == ("pause", None)
    assert (ended.detail["until"], ended.detail["resumed_by"]) == ("2026-11-30T08:00:00Z", "bo")
    assert begun.id != ended.id


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([None, SERIES, "m|device=b"])), max_size=12))
def test_whatever_is_paused_and_resumed_each_holds_once(steps: list[tuple[bool, str | None]]) -> None:
    pauses, held = NO_PAUSES, set[str | None]()
    for number, (pauses_it, series) in enumerate(steps):
        moment = NOW + timedelta(minutes=number)
        if pauses_it:
            pauses = paused(pauses, series, None, "ada", moment)
            held.add(series)
        else:
            pauses = resumed(pauses, series, "ada", moment)
            held = held - {series} if series else set()
        now = [one.series for one in pauses.now(moment)]
        assert sorted(now, key=str) == sorted(held, key=str)
    assert Pauses.from_json(pauses.to_json()) == pauses
