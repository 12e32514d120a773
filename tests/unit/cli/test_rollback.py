"""Which release `watchkeeper rollback` goes back to."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from lambdas.console.releases import earlier_release, go_back
from tests.unit.lambdas.builders import WORKLOAD, make_release, make_run
from tests.unit.lambdas.fakes import FakeReleaseStore, RememberedEvents
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.lifecycle.release import Release, StreamModel


def released(minute: int) -> Release:
    return make_release(minute, stream=StreamModel({}, 3.75))


def store_of(*releases: Release) -> FakeReleaseStore:
    store = FakeReleaseStore()
    for release in releases:
        store.stage(release)
        store.publish(release)
    return store


def test_goes_back_to_the_release_before_the_live_one() -> None:
    store = store_of(released(0), released(1), released(2))

    assert earlier_release(store, WORKLOAD, None) == released(1)


def test_goes_back_to_any_release_that_is_named() -> None:
    store = store_of(released(0), released(1), released(2))

    assert earlier_release(store, WORKLOAD, make_run(0).run_id) == released(0)


def test_the_release_judges_again_and_who_looks_on_is_told() -> None:
    store, bus = store_of(released(0), released(1)), RememberedEvents()

    go_back(store, bus, released(0), datetime(2026, 11, 30, tzinfo=timezone.utc))

    assert store.live(WORKLOAD) == released(0)
    (told,) = bus.events
    assert told["type"] == "Release Published"
    assert (told["what"], told["run_id"], told["previous"], told["at"]) == (
        "rolled_back",
        make_run(0).run_id,
        make_run(1).run_id,
        "2026-11-30T00:00:00Z",
    )


def test_a_run_without_release_is_refused_and_those_that_have_one_are_named() -> None:
    store = store_of(released(0), released(1))

    with pytest.raises(InvalidInputError, match=f"no release of run x; others are of: {make_run(0).run_id}"):
        earlier_release(store, WORKLOAD, "x")


def test_an_endpoint_is_not_rolled_back_by_hand() -> None:
    with pytest.raises(InvalidInputError, match="no streaming detector is live"):
        earlier_release(store_of(make_release(0)), WORKLOAD, None)
