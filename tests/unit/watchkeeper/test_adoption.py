"""A page goes over to another release: nothing is lost, learned twice or forgotten."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.anomaly.telemetry import Telemetry
from containers.anomaly.warm_up import warm_shelf
from tests.unit.watchkeeper.shelves import PLAN, Shelves, reading, records, streaming_release
from watchkeeper.core.plan import DetectorPlan, WorkloadPlan
from watchkeeper.detectors.streaming.state import new_states
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.stream.adoption import adopted, beginning, is_behind
from watchkeeper.stream.page import Page
from watchkeeper.stream.page_format import to_bytes
from watchkeeper.stream.warming import page_name, pages_of, shelf_of_name

STREAM: WorkloadPlan = dataclasses.replace(PLAN, detector=DetectorPlan("watchkeeper"))
OTHER = StreamModel({"refractory_rows": 30}, 3.75)
MINUTES = 240


def line(minute: int, device: str = "a") -> bytes:
    return reading(60 * minute + 7, float(minute % 9) + (40.0 if minute % 97 == 0 else 0.0), device)


def lines(minutes: Sequence[int], devices: str = "a") -> list[bytes]:
    return [line(minute, device) for minute in minutes for device in devices]


def warm_pages(history: Sequence[bytes], model: StreamModel, run: str = "run-1") -> list[Page]:
    telemetry = Telemetry(STREAM)
    for record in records(history, STREAM):
        telemetry.take(record, "history.csv")
    return [warm_shelf(page, model, 0, run)[0] for page in pages_of(telemetry.histories(), STREAM)]


def stream_of(release: Release) -> StreamModel:
    assert release.stream is not None
    return release.stream


def streamed(history: Sequence[bytes], release: Release) -> Shelves:
    """A stream that has had the release from its first record on."""
    shelves = Shelves(STREAM, release)
    shelves.deliver("all", list(history))
    return shelves


def values_of(shelves: Shelves) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for each in shelves.lines:
        found.setdefault(each.series, []).append((each.start, each.value))
    return {series: sorted(values) for series, values in found.items()}


def adopt(shelves: Shelves, release: Release, warm: Sequence[Page], names: Sequence[str] = ()) -> None:
    page, model = shelves.page(), stream_of(release)
    begin = beginning(page, names, model)
    assert not is_behind(page, warm, begin)
    after = adopted(page, model, release.run_id, warm, begin, values_of(shelves), STREAM)
    shelves.pages[""] = to_bytes(after)
    shelves.release = release


def scores_of(shelves: Shelves) -> dict[tuple[str, str], float | None]:
    return {each.interval: each.anomaly_score for each in shelves.lines}


@settings(max_examples=20)
@given(ends=st.integers(20, MINUTES - 20), overlap=st.integers(0, 15))
def test_a_first_release_goes_on_where_the_history_ended(ends: int, overlap: int) -> None:
    release = streaming_release()
    history = lines(range(ends), "ab")
    warm = warm_pages(history, stream_of(release))
    shelves = Shelves(STREAM)

    adopt(shelves, release, warm, ["m|device=a", "m|device=b"])
    shelves.deliver("live", lines(range(max(ends - overlap, ends - 2), MINUTES), "ab"))

    expected = scores_of(streamed(lines(range(MINUTES), "ab"), release))
    found = scores_of(shelves)
    assert found == {key: score for key, score in expected.items() if key in found}
    assert len(expected) - len(found) == 2 * (ends - 3), "the history has closed the others"


@pytest.mark.parametrize("delivered", [60, 130])
def test_other_parameters_begin_with_the_warm_page_and_learn_what_closed_since(delivered: int) -> None:
    old, new = streaming_release(), streaming_release(1, stream=OTHER)
    warm = warm_pages(lines(range(60)), OTHER)
    shelves = streamed(lines(range(delivered)), old)

    adopt(shelves, new, warm)
    shelves.deliver("more", lines(range(delivered, MINUTES)))

    anew = scores_of(streamed(lines(range(MINUTES)), new))
    of_new = {each.interval: each.anomaly_score for each in shelves.lines if each.run_id == new.run_id}
    assert of_new
    assert of_new == {key: score for key, score in anew.items() if key in of_new}
    assert len(scores_of(shelves)) == len(anew)


def test_with_the_same_parameters_the_stream_forgets_nothing() -> None:
    old, new = streaming_release(), streaming_release(1)
    shelves = streamed(lines(range(100)), old)
    before = shelves.page()

    adopt(shelves, new, warm_pages(lines(range(50)), stream_of(new)))

    after = shelves.page()
    assert after.states.tobytes() == before.states.tobytes()
    assert after.model == new.run_id


def test_a_series_that_only_the_history_knows_is_taken_over_with_what_is_open() -> None:
    release = streaming_release()
    shelves = streamed(lines(range(100), "a"), release)
    warm = warm_pages(lines(range(80), "ab"), stream_of(release))

    adopt(shelves, release, warm, ["m|device=b"])
    shelves.deliver("b", lines(range(80, 120), "b"))

    expected = scores_of(streamed(lines(range(120), "b"), release))
    of_b = {key: score for key, score in scores_of(shelves).items() if key[0] == "m|device=b"}
    assert of_b
    assert of_b == {key: score for key, score in expected.items() if key in of_b}


def test_a_page_that_is_behind_the_warm_one_waits() -> None:
    warm = warm_pages(lines(range(100)), OTHER)
    shelves = streamed(lines(range(60)), streaming_release())

    assert is_behind(shelves.page(), warm, beginning(shelves.page(), (), OTHER))
    shelves.deliver("more", lines(range(60, 110)))
    assert not is_behind(shelves.page(), warm, beginning(shelves.page(), (), OTHER))


def test_back_to_an_earlier_release_gives_the_scores_that_it_would_have_given() -> None:
    first, second = streaming_release(), streaming_release(1, stream=OTHER)
    warm = {
        first.run_id: warm_pages(lines(range(60)), stream_of(first)),
        second.run_id: warm_pages(lines(range(100)), OTHER),
    }
    shelves = streamed(lines(range(120)), first)
    adopt(shelves, second, warm[second.run_id])
    shelves.deliver("second", lines(range(120, 160)))

    adopt(shelves, first, warm[first.run_id])
    shelves.deliver("first again", lines(range(160, MINUTES)))

    never_left = streamed(lines(range(MINUTES)), first)
    assert shelves.page().states.tobytes() == never_left.page().states.tobytes()


def test_a_full_history_is_laid_on_shelves_that_have_room() -> None:
    devices = [f"{number:04}" for number in range(1500)]
    telemetry = Telemetry(STREAM)
    for record in records([line(minute, device) for device in devices for minute in range(6)], STREAM):
        telemetry.take(record, "history.csv")

    pages = list(pages_of(telemetry.histories(), STREAM))

    assert len(pages) > 1
    assert max(map(len, pages)) <= 1024
    assert sum(map(len, pages)) == len(devices)
    assert {shelf_of_name(page_name(page.shelf)) for page in pages} == {page.shelf for page in pages}
    assert all(np.array_equal(page.states, new_states(0)) for page in pages)
