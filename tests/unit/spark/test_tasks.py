"""The tasks of the stream, without Spark: parcels are cut, sent and taken in by key."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.adapters.object_store import ObjectUri
from spark.effects import Effects, Places
from spark.manifest import Announced, Context, Manifest
from spark.parcels import packed, parcels_of, unpacked
from spark.subtree import Subtree
from spark.tasks import Host
from tests.unit.watchkeeper.shelves import PLAN, Shelves, reading, readings, source, streaming_release
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core import layout
from watchkeeper.judgement.moved import DIRECTIONS, MovedThresholds
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.page_format import from_bytes

PLACES = Places("data", "pages", "anomalies", "bus")
RELEASE = streaming_release()
DEVICES = [f"d{number}" for number in range(24)]


class Memory:
    """`ObjectStore` in a dictionary."""

    def __init__(self) -> None:
        self.found: dict[ObjectUri, bytes] = {}

    def read(self, uri: ObjectUri, version_id: str | None = None) -> bytes | None:
        return self.found.get(uri)

    def write(self, uri: ObjectUri, body: bytes) -> None:
        self.found[uri] = body

    def write_once(self, uri: ObjectUri, body: bytes) -> bytes:
        return self.found.setdefault(uri, body)

    def exists(self, uri: ObjectUri) -> bool:
        return uri in self.found

    def any_under(self, prefix: ObjectUri) -> bool:
        return bool(self.keys_under(prefix))

    def keys_under(self, prefix: ObjectUri) -> list[str]:
        return sorted(
            uri.key for uri in self.found if uri.bucket == prefix.bucket and uri.key.startswith(prefix.key)
        )

    def remove(self, uri: ObjectUri) -> None:
        self.found.pop(uri, None)

    def scores(self) -> dict[str, bytes]:
        return {uri.key: body for uri, body in self.found.items() if uri.key.startswith(("scores", "quara"))}


class Sink:
    """`AnomalySink` that remembers."""

    def __init__(self) -> None:
        self.events: list[AnomalyEvent] = []

    def put(self, events: Sequence[AnomalyEvent]) -> None:
        self.events += events


class State:
    """A key's `GroupState`."""

    def __init__(self) -> None:
        self.content: tuple[bytes] | None = None

    @property
    def exists(self) -> bool:
        return self.content is not None

    @property
    def get(self) -> tuple[bytes]:
        assert self.content is not None
        return self.content

    def update(self, content: tuple[bytes]) -> None:
        self.content = content


@dataclasses.dataclass
class Cluster:
    """Runs micro-batches as Spark does: all parcels of a key together, in any order."""

    depth: int = 2
    memory: Memory = dataclasses.field(default_factory=Memory)
    sink: Sink = dataclasses.field(default_factory=Sink)
    states: dict[str, State] = dataclasses.field(default_factory=dict)
    release: Release = RELEASE

    @property
    def host(self) -> Host:
        effects = Effects(PLACES, self.memory, self.sink, self.sink, Sink())
        return Host(PLACES, lambda _: effects, self.depth)

    def put(self, name: str, lines: Sequence[bytes]) -> Announced:
        origin = source(name)
        self.memory.write(ObjectUri("data", origin.key), b"\n".join(lines))
        return Announced("data", origin.key, None, origin)

    def run(self, announced: Sequence[Announced], **members: Any) -> list[dict[str, Any]]:
        document = json.loads(Manifest(PLAN, self.release, tuple(announced), **members).to_json())
        context = document["context"]
        rows = pd.DataFrame(
            [(position, text, context) for position, text in enumerate(document["objects"])],
            columns=["position", "object", "context"],
        )
        parcels = pd.concat([*self.host.fetch([rows]), pd.DataFrame({"key": []})])
        reports = []
        for key, of_key in parcels.groupby("key"):
            shuffled = of_key.iloc[::-1]
            state: Any = self.states.setdefault(str(key), State())
            reports += list(self.host.take_in((key,), [shuffled[:1], shuffled[1:]], state))
        return pd.concat(reports).to_dict("records") if reports else []


def deliveries(count: int = 6) -> list[tuple[str, list[bytes]]]:
    """Objects of a minute each, with a late line and one that comes twice."""
    found = []
    for minute in range(count):
        lines = [reading(minute * 60 + 5, 10.0 + number, device) for number, device in enumerate(DEVICES)]
        lines.append(lines[0])
        if minute > 4:
            lines.append(reading(3, 99.0, DEVICES[1]))
        found.append((f"object-{minute}", lines))
    return found


def shelves_of(found: Sequence[tuple[str, list[bytes]]], release: Release = RELEASE) -> dict[str, bytes]:
    """What one host gives that has all shelves below the keys of two bits."""
    memory = Memory()
    effects = Effects(PLACES, memory, Sink(), Sink(), Sink())
    below: dict[str, Subtree] = {}
    for name, lines in found:
        for parcel in parcels_of(readings(lines), source(name), 0, 2):
            shelves = below.setdefault(parcel.key, Subtree(parcel.key))
            for outcome, _ in shelves.take(unpacked(parcel.readings), source(name), release, PLAN):
                if outcome.output is not None:
                    effects.write(outcome.output)
    return memory.scores()


@pytest.mark.parametrize("a_manifest", [1, 2, 6])
def test_micro_batches_of_any_size_give_the_same_objects(a_manifest: int) -> None:
    found = deliveries()
    cluster = Cluster()
    announced = [cluster.put(name, lines) for name, lines in found]
    for first in range(0, len(announced), a_manifest):
        cluster.run(announced[first : first + a_manifest])
    assert cluster.memory.scores() == shelves_of(found)
    assert any(key.startswith("quarantine") for key in cluster.memory.scores())


def test_what_feedback_moves_is_moved_in_the_tasks_too() -> None:
    moved = MovedThresholds({side: {f"m|device={DEVICES[0]}": 80.0} for side in DIRECTIONS})
    release, found = dataclasses.replace(RELEASE, moved=moved), deliveries()
    cluster = Cluster(release=release)
    cluster.run([cluster.put(name, lines) for name, lines in found])
    assert cluster.memory.scores() == shelves_of(found, release) != shelves_of(found)


def test_micro_batch_that_is_made_again_changes_nothing() -> None:
    cluster = Cluster()
    announced = [cluster.put(name, lines) for name, lines in deliveries()]
    cluster.run(announced[:3])
    before = {key: state.content for key, state in cluster.states.items()}
    cluster.run(announced[3:])
    first = (cluster.memory.scores(), {key: state.content for key, state in cluster.states.items()})
    for key, content in before.items():
        cluster.states[key].content = content
    cluster.run(announced[3:])
    assert (cluster.memory.scores(), {key: state.content for key, state in cluster.states.items()}) == first


def test_object_that_is_announced_again_is_not_taken_in_again() -> None:
    cluster = Cluster()
    announced = [cluster.put(name, lines) for name, lines in deliveries()]
    cluster.run(announced)
    scores = cluster.memory.scores()
    reports = cluster.run(announced)
    assert cluster.memory.scores() == scores
    assert sum(report["scored"] + report["late"] for report in reports) == 0


def test_lines_that_are_no_records_are_quarantined() -> None:
    cluster = Cluster()
    cluster.run([cluster.put("bad", [b"{", reading(5)])])
    (key,) = cluster.memory.scores()
    assert key == layout.quarantine_key("w", source("bad").key)


def test_pages_that_another_host_left_are_gone_on_with() -> None:
    found = deliveries(8)
    before = Shelves(release=RELEASE, most=8)  # its shelves have split, deeper than the keys or not
    for name, lines in found[:4]:
        before.deliver(name, lines)
    cluster = Cluster()
    for shelf, page in before.pages.items():
        cluster.memory.write(ObjectUri("pages", layout.page_key("w", shelf)), page)
    cluster.run([cluster.put(name, lines) for name, lines in found[4:]])
    after = Shelves(release=RELEASE, most=8, pages=before.pages)
    for name, lines in found[4:]:
        after.deliver(name, lines)
    written = [Subtree.from_bytes(key, state.get[0]) for key, state in cluster.states.items()]
    pages = {page.shelf: page for below in written for page in below.pages.values()}
    series = sorted(name for page in pages.values() for name in page.series)
    assert series == sorted(f"m|device={device}" for device in DEVICES)
    expected = {
        name: (page.watermark[place], page.states[place].tobytes())
        for content in after.pages.values()
        for page in [from_bytes(content)]
        for place, name in enumerate(page.series)
    }
    assert {
        name: (page.watermark[place], page.states[place].tobytes())
        for page in pages.values()
        for place, name in enumerate(page.series)
    } == expected


def test_kept_pages_are_those_of_every_key() -> None:
    cluster = Cluster()
    announced = [cluster.put(name, lines) for name, lines in deliveries()]
    cluster.run(announced)
    assert cluster.memory.keys_under(ObjectUri("pages", "")) == []
    cluster.run([], keeps_pages=True)
    keys = {f"{bits[0]}{bits[1]}" for bits in itertools.product("01", repeat=2)}
    kept = cluster.memory.keys_under(ObjectUri("pages", ""))
    assert kept == sorted(layout.page_key("w", key) for key in keys)
    held = {key: Subtree.from_bytes(key, state.get[0]).pages[key] for key, state in cluster.states.items()}
    for key in keys:
        content = cluster.memory.read(ObjectUri("pages", layout.page_key("w", key)))
        assert content is not None
        assert from_bytes(content).series == held[key].series


@given(st.lists(st.sampled_from(DEVICES), max_size=40))
def test_readings_come_out_of_a_parcel_as_they_went_in(devices: list[str]) -> None:
    before = readings([reading(60 * place, place, device) for place, device in enumerate(devices)])
    after = unpacked(packed(before))
    assert (after.series, after.texts) == (before.series, before.texts)
    assert after.rows.tobytes() == before.rows.tobytes()


def test_a_full_shelf_splits_below_its_key() -> None:
    below = Subtree("", most=8)
    found = readings([reading(5, 1.0, device) for device in DEVICES])
    for _ in below.take(found, source("one"), RELEASE, PLAN):
        pass
    assert len(below.pages) > 2
    again = Subtree.from_bytes("", below.to_bytes(), most=8)
    assert {shelf: page.series for shelf, page in again.pages.items()} == {
        shelf: page.series for shelf, page in below.pages.items()
    }


def test_context_says_what_a_manifest_says() -> None:
    document = json.loads(Manifest(PLAN, RELEASE, ()).to_json())
    assert Context.from_json(document["context"]) == Context(PLAN, RELEASE, keeps_pages=False)
    assert Context.from_json(json.loads(Manifest(PLAN, None, ()).to_json())["context"]).release is None
