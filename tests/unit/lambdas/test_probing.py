"""Which model answered: told by the probe rows of the releases that may."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from lambdas.adapters.endpoint import RowRefusedError
from lambdas.scoring.probing import ProbedEndpoint, ReleaseCache, UnidentifiedModelError
from tests.unit.lambdas.builders import WORKLOAD, make_release
from tests.unit.lambdas.fakes import FakeEndpoint, FakeReleaseStore
from watchkeeper.lifecycle.release import SCORE_TOLERANCE, Release

LIVE, STAGED, PREVIOUS = make_release(2), make_release(3), make_release(1)
ROWS = ["t,s,1.0", "t,s,20.0"]


class PickyEndpoint(FakeEndpoint):
    """Refuses the probe rows of some releases."""

    refused: Sequence[Release] = ()

    def _score(self, rows: Sequence[str]) -> tuple[float, ...]:
        for position, row in enumerate(rows):
            if any(row == release.probe_row for release in self.refused):
                raise RowRefusedError("unknown series", position if self.names_record else None)
        return super()._score(rows)


def store_of(live: Release, *staged: Release) -> FakeReleaseStore:
    store = FakeReleaseStore()
    store.release(live)
    for release in staged:
        store.stage(release)
    return store


def probed(endpoint: FakeEndpoint, store: FakeReleaseStore) -> ProbedEndpoint:
    return ProbedEndpoint(WORKLOAD, endpoint, ReleaseCache(store))


@pytest.mark.parametrize("serving", [LIVE, STAGED, PREVIOUS])
def test_release_whose_probe_has_its_known_score_answered(serving: Release) -> None:
    endpoint = FakeEndpoint(serving)
    answer = probed(endpoint, store_of(LIVE, STAGED, PREVIOUS)).score(ROWS)
    assert (answer.scores, answer.release) == ((0.1, 2.0), serving)
    (request,) = endpoint.requests
    assert request == [*ROWS, LIVE.probe_row, STAGED.probe_row, PREVIOUS.probe_row]


def test_of_two_identical_models_the_live_release_wins() -> None:
    twin = dataclasses.replace(STAGED, probe_row=LIVE.probe_row, probe_score=LIVE.probe_score)
    assert probed(FakeEndpoint(twin), store_of(LIVE, twin)).score(ROWS).release == LIVE


@pytest.mark.parametrize(("part_of_tolerance", "known"), [(0.5, True), (2.0, False)])
def test_probe_score_is_the_same_within_the_tolerance_of_the_smoke_test(
    part_of_tolerance: float, known: bool
) -> None:
    score = LIVE.probe_score * (1 + part_of_tolerance * SCORE_TOLERANCE)
    endpoint = FakeEndpoint(dataclasses.replace(LIVE, probe_score=score))
    if known:
        assert probed(endpoint, store_of(LIVE)).score(ROWS).release == LIVE
        return
    with pytest.raises(UnidentifiedModelError):
        probed(endpoint, store_of(LIVE)).score(ROWS)


def test_release_that_was_staged_since_is_found_by_reading_again() -> None:
    store = store_of(LIVE)
    endpoint = FakeEndpoint(STAGED)
    asked = probed(endpoint, store)
    asked.releases.candidates(WORKLOAD)
    store.stage(STAGED)
    assert asked.score(ROWS).release == STAGED
    assert [len(request) for request in endpoint.requests] == [3, 4]
    asked.score(ROWS)
    assert len(endpoint.requests) == 3


def test_model_of_no_release_is_asked_twice_and_then_unidentified() -> None:
    endpoint = FakeEndpoint(make_release(9))
    with pytest.raises(UnidentifiedModelError, match=WORKLOAD):
        probed(endpoint, store_of(LIVE, STAGED)).score(ROWS)
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("names_record", [True, False])
def test_probe_that_the_model_refuses_is_left_out(names_record: bool) -> None:
    endpoint = PickyEndpoint(LIVE, names_record=names_record)
    endpoint.refused = (STAGED,)
    answer = probed(endpoint, store_of(LIVE, STAGED, PREVIOUS)).score(ROWS)
    assert (answer.scores, answer.release) == ((0.1, 2.0), LIVE)
    assert endpoint.requests[-1] == [*ROWS, LIVE.probe_row, PREVIOUS.probe_row]


@pytest.mark.parametrize("names_record", [True, False])
def test_refused_row_is_not_taken_for_a_probe(names_record: bool) -> None:
    endpoint = FakeEndpoint(LIVE, names_record=names_record)
    with pytest.raises(RowRefusedError, match="bad luck"):
        probed(endpoint, store_of(LIVE, STAGED)).score(["t,s,666"])
