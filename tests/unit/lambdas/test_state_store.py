"""One suite for the fake state store and the series table's adapter."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.scoring.effects import STATE_DAYS, TableStateStore
from lambdas.scoring.merging import NEW, StateStore
from tests.unit.lambdas.builders import WORKLOAD, make_plan
from tests.unit.lambdas.conftest import SERIES_TABLE
from tests.unit.lambdas.fakes import FakeStateStore
from watchkeeper.core.errors import UnavailableError
from watchkeeper.stream.series_state import SeriesState, new_state


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> StateStore:
    if request.param == "fake":
        return FakeStateStore()
    request.getfixturevalue("aws")
    return TableStateStore(clients.dynamodb(), SERIES_TABLE, clock=lambda: 1000.0)


def state_of(device: str, outbox: int = 0) -> SeriesState:
    state = new_state(f"pressure|device={device}", make_plan())
    return dataclasses.replace(state, outbox=tuple((60 * index, 1.5) for index in range(outbox)))


def test_loads_what_was_saved_with_its_version(store: StateStore) -> None:
    state = state_of("a", 3)
    assert store.save(WORKLOAD, state, NEW)
    found = store.load(WORKLOAD, [state.series, "pressure|device=b"])
    assert set(found) == {state.series}
    assert found[state.series].state == state
    assert store.save(WORKLOAD, state_of("a"), found[state.series].version)


def test_refuses_to_create_what_exists(store: StateStore) -> None:
    assert store.save(WORKLOAD, state_of("a"), NEW)
    assert not store.save(WORKLOAD, state_of("a", 1), NEW)


def test_refuses_a_version_that_was_replaced(store: StateStore) -> None:
    assert store.save(WORKLOAD, state_of("a"), NEW)
    assert store.save(WORKLOAD, state_of("a", 1), 1)
    assert not store.save(WORKLOAD, state_of("a", 2), 1)
    assert store.load(WORKLOAD, ["pressure|device=a"])["pressure|device=a"].state == state_of("a", 1)


def test_workloads_do_not_see_each_other(store: StateStore) -> None:
    assert store.save(WORKLOAD, state_of("a"), NEW)
    assert store.load("other", ["pressure|device=a"]) == {}


def test_loads_more_series_than_one_request_takes(store: StateStore) -> None:
    states = [state_of(str(number)) for number in range(130)]
    for state in states:
        assert store.save(WORKLOAD, state, NEW)
    found = store.load(WORKLOAD, [state.series for state in states])
    assert {name: stored.state for name, stored in found.items()} == {state.series: state for state in states}


def test_state_expires_after_its_series_was_silent(aws: object) -> None:
    TableStateStore(clients.dynamodb(), SERIES_TABLE, clock=lambda: 1000.5).save(WORKLOAD, state_of("a"), NEW)
    (item,) = clients.dynamodb().scan(TableName=SERIES_TABLE)["Items"]
    assert item["expires_at"] == {"N": str(1000 + STATE_DAYS * 86_400)}
    assert (item["pk"], item["sk"]) == ({"S": "series#pump"}, {"S": "pressure|device=a"})


class Throttled:
    """A table that leaves keys out of its answers."""

    def __init__(self, client: Any, rounds: int) -> None:
        self.client, self.rounds = client, rounds

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:
        if self.rounds:
            self.rounds -= 1
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        return self.client.batch_get_item(RequestItems=RequestItems)


def test_asks_again_for_what_was_left_out(aws: object) -> None:
    client = clients.dynamodb()
    TableStateStore(client, SERIES_TABLE).save(WORKLOAD, state_of("a"), NEW)
    pauses: list[int] = []
    throttled = TableStateStore(Throttled(client, 2), SERIES_TABLE, pause=pauses.append)  # type: ignore[arg-type]  # a client with one call
    assert len(throttled.load(WORKLOAD, ["pressure|device=a"])) == 1
    assert pauses == [0, 1]


def test_gives_up_when_keys_are_left_out_each_time(aws: object) -> None:
    throttled = Throttled(clients.dynamodb(), 1000)
    store = TableStateStore(throttled, SERIES_TABLE, pause=lambda attempt: None)  # type: ignore[arg-type]  # a client with one call
    with pytest.raises(UnavailableError, match="1 series states were not read"):
        store.load(WORKLOAD, ["pressure|device=a"])
