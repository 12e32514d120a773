"""Whatever happens to deliveries, the end is that of one clean delivery: nothing lost, nothing twice."""

from __future__ import annotations

import gzip
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring.scoring import score_object
from tests.unit.lambdas.builders import (
    make_moving_threshold,
    make_plan,
    make_release,
    packed_lines,
    raw_object,
    reading,
)
from tests.unit.lambdas.fakes import CrashError, ScoringFakes
from watchkeeper.anomalies.quality import counts_in, of_scores, summed
from watchkeeper.lifecycle.release import StreamModel
from watchkeeper.stream.page import NO_RUN
from watchkeeper.stream.page_format import from_bytes

OBJECT_SECONDS = 120
"""An object may be overtaken by the next one: then nothing of it is late with a lateness of 300 seconds."""
FLUSH_SECOND = 100_000


@dataclass(frozen=True)
class Telemetry:
    """Objects in the order of their time. The last two close everything, and come too late."""

    objects: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Delivery:
    """One delivery of an object."""

    index: int
    crash_moment: int | None = None
    """When the worker dies."""
    meanwhile: tuple[int, Delivery] | None = None
    """A moment, and what another worker does at that moment."""


@st.composite
def telemetry(draw: st.DrawFn) -> Telemetry:
    objects = []
    for number in range(draw(st.integers(2, 5))):
        begin = number * OBJECT_SECONDS
        readings = draw(
            st.lists(
                st.tuples(
                    st.integers(begin, begin + OBJECT_SECONDS - 1),
                    st.sampled_from([1, 2.5, 40, 80, 90, 666]),
                    st.sampled_from(["a", "b"]),
                ),
                min_size=1,
                max_size=6,
                unique_by=lambda item: (item[0], item[2]),
            )
        )
        lines = [reading(second, value, device) for second, value, device in readings]
        lines += draw(st.lists(st.sampled_from(["{", '{"time": 1}', reading(begin, "warm")]), max_size=2))
        objects.append(tuple(draw(st.permutations(lines))))
    flush = tuple(reading(FLUSH_SECOND, 1, device) for device in "ab")
    late = (reading(0.5, 3, "a"), reading(0.5, 4, "b"))
    return Telemetry((*objects, flush, late))


@st.composite
def schedules(draw: st.DrawFn, count: int) -> list[Delivery]:
    """Each object at least once in full, overtaken by one at most, with crashes, repetitions and races."""
    bounded = sorted(range(count - 2), key=lambda index: index + draw(st.floats(0, 1.99)))
    schedule: list[Delivery] = []
    seen: list[int] = []
    for index in [*bounded, count - 2, count - 1]:
        for moment in draw(st.lists(st.integers(0, 40), max_size=3)):
            schedule.append(Delivery(index, crash_moment=moment))
            if seen:
                schedule += [Delivery(other) for other in draw(st.lists(st.sampled_from(seen), max_size=1))]
        seen.append(index)
        other = st.builds(Delivery, st.sampled_from(seen), st.none() | st.integers(0, 40))
        schedule.append(Delivery(index, meanwhile=draw(st.none() | st.tuples(st.integers(0, 40), other))))
    repeated = draw(st.lists(st.sampled_from(seen), max_size=4))
    return schedule + [Delivery(index) for index in repeated]


STREAM = StreamModel({}, 3.75)


def fakes_with(
    objects: Telemetry,
    *,
    names_record: bool = True,
    stream: StreamModel | None = None,
    shelf_series: int = 1024,
) -> ScoringFakes:
    """Return fakes whose thresholds move, so that each interval's judgement depends on those before it."""
    release = make_release(threshold=make_moving_threshold(), stream=stream)
    fakes = ScoringFakes(make_plan(), release, shelf_series=shelf_series)
    fakes.endpoint.names_record = names_record
    for index, lines in enumerate(objects.objects):
        source = raw_object(str(index))
        fakes.objects.objects[ObjectUri(source.bucket, source.key)] = packed_lines(lines)
    return fakes


def deliver(fakes: ScoringFakes, delivery: Delivery) -> bool:
    """Deliver an object, and tell whether what was to happen meanwhile did happen."""
    planned = []
    if delivery.crash_moment is not None:
        planned.append(fakes.timeline.crash_at(delivery.crash_moment))
    if delivery.meanwhile is not None:
        moment, other = delivery.meanwhile
        planned.append(fakes.timeline.at(moment, partial(deliver, fakes, other)))
    try:
        score_object(raw_object(str(delivery.index)), fakes.effects)
    except CrashError:
        assert delivery.crash_moment is not None
    pending = [moment for moment in planned if fakes.timeline.cancel(moment)]
    return not pending


def end_of(fakes: ScoringFakes) -> dict[str, Any]:
    """What there is in the end, without what tells how it came to be."""
    written = [
        line
        for body in fakes.objects.under("scores/").values()
        for line in gzip.decompress(body).splitlines()
    ]
    lines = map(json.loads, of_scores(written))
    return {
        "scores": sorted(lines, key=lambda line: (line["series"], line["interval_start"])),
        "counts": [
            (one.interval_start, one.accepted, one.late, one.values, one.scored, one.anomalies)
            for one in summed(counts_in(written))
        ],
        # of the interval of the records that came with them, which a race leaves to another shelf
        "refused": sum((Counter(one.refused) for one in counts_in(written)), Counter()),
        "quarantine": sorted(
            line for body in fakes.objects.under("quarantine/").values() for line in body.splitlines()
        ),
        "anomalies": fakes.anomalies.events,
        "alerts": fakes.alerts.events,
        "series": dict(pair for content, _ in fakes.pages.pages.values() for pair in known_of(content)),
    }


def known_of(content: bytes) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What a page knows of each of its series."""
    page = from_bytes(content)
    assert page.condition != "splitting"
    for position, series in enumerate(page.series):
        rows = (page.readings, page.waiting, page.context)
        run, *standing = page.thresholds[position].item()
        yield (
            series,
            (
                *([row[1:] for row in found[found["series"] == position].tolist()] for found in rows),
                page.watermark[position].item(),
                page.closed_until[position].item(),
                (run == NO_RUN) or (page.runs[run], *standing),
                page.states[position].tobytes() if len(page.states) else None,
            ),
        )


def clean_end(objects: Telemetry, stream: StreamModel | None = None) -> dict[str, Any]:
    fakes = fakes_with(objects, stream=stream)
    for index in range(len(objects.objects)):
        deliver(fakes, Delivery(index))
    return end_of(fakes)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_ends_as_one_clean_delivery_in_order_does(drawn: st.DataObject) -> None:
    objects, stream = drawn.draw(telemetry()), drawn.draw(st.sampled_from([None, STREAM]))
    fakes = fakes_with(
        objects,
        names_record=drawn.draw(st.booleans()),
        stream=stream,
        shelf_series=drawn.draw(st.integers(1, 2)),
    )
    for delivery in drawn.draw(schedules(len(objects.objects))):
        deliver(fakes, delivery)
    assert end_of(fakes) == clean_end(objects, stream)


EXAMPLE = Telemetry(
    (
        (*(reading(second, value) for second, value in [(0, 10), (59, 20), (60, 95), (119, 85)]), "{"),
        tuple(reading(second, value, device) for second, value, device in [(120, 666, "a"), (130, 80, "b")]),
        tuple(reading(FLUSH_SECOND, 1, device) for device in "ab"),
        (reading(0.5, 3, "a"), reading(0.5, 4, "b")),
    )
)


@pytest.mark.parametrize("stream", [None, STREAM])
@pytest.mark.parametrize("index", range(len(EXAMPLE.objects)))
def test_crash_at_any_effect_changes_nothing_in_the_end(index: int, stream: StreamModel | None) -> None:
    """The second object has a new device, for which the shelf splits."""
    expected = clean_end(EXAMPLE, stream)
    for moment in itertools.count():
        fakes = fakes_with(EXAMPLE, stream=stream, shelf_series=1)
        for earlier in range(index):
            deliver(fakes, Delivery(earlier))
        crashed = deliver(fakes, Delivery(index, crash_moment=moment))
        for later in range(index, len(EXAMPLE.objects)):
            deliver(fakes, Delivery(later))
        assert end_of(fakes) == expected, f"crash at moment {moment}"
        if not crashed:
            break
    assert moment >= 6


@pytest.mark.parametrize("shelf_series", [1, 2])
@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_nothing_is_lost_when_two_workers_have_one_shelf(first: int, second: int, shelf_series: int) -> None:
    """Nothing is delivered again, which would heal what was lost."""
    expected = clean_end(EXAMPLE)
    for moment in itertools.count():
        fakes = fakes_with(EXAMPLE, shelf_series=shelf_series)
        if not deliver(fakes, Delivery(first, meanwhile=(moment, Delivery(second)))):
            break
        for index in (2, 3):
            deliver(fakes, Delivery(index))
        assert end_of(fakes) == expected, f"race at moment {moment}"
    assert moment >= 6


COMMITTED = 7
"""The moment after reading an object, loading its one page, asking the model and saving the page."""

CLOSING = Telemetry(
    (
        tuple(reading(second, 60) for second in (0, 60, 600)),
        tuple(reading(second, 70) for second in (660, 720, 1500)),
        (reading(FLUSH_SECOND, 1),),
    )
)


@pytest.mark.parametrize("crash_moment", range(0, 20))
def test_no_interval_is_scored_twice_when_a_worker_dies_beside_another(crash_moment: int) -> None:
    """One is about to write what it has closed, the other finds it pending and dies somewhere."""
    expected = clean_end(CLOSING)
    for moment in itertools.count(COMMITTED):
        fakes = fakes_with(CLOSING)
        other = Delivery(1, crash_moment=crash_moment)
        if not deliver(fakes, Delivery(0, meanwhile=(moment, other))):
            break
        for index in (1, 2):
            deliver(fakes, Delivery(index))
        assert end_of(fakes) == expected, f"race at moment {moment}"
    assert moment >= 10


def test_example_has_anomalies_scores_refusals_and_late_records() -> None:
    end = clean_end(EXAMPLE)
    assert [line["anomaly_score"] for line in end["scores"]] == [1.5, 9.0, None, 8.0]
    assert {event.series for event in end["anomalies"].values()} == {"pressure|device=a", "pressure|device=b"}
    reasons = sorted(json.loads(line)["reason"] for line in end["quarantine"])
    assert reasons == ["late", "late", "not_json", "refused_by_model"]
    assert all(waiting == [] for _, waiting, *_ in end["series"].values())
    assert [line.get("threshold") for line in end["scores"]] == pytest.approx([5.0, 4.8, None, 5.0])
