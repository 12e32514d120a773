"""The feed: notifications become manifests, and nothing that is announced is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.adapters.object_store import ObjectUri
from spark.feed import Feed, Queue
from spark.job import Arguments, Progress, announce, run
from tests.unit.spark.test_tasks import Memory
from tests.unit.watchkeeper.shelves import PLAN, streaming_release

FOLDER = ObjectUri("data", "streams/w/stream/manifests/")
HOUR = "raw/workload=w/year=2026/month=11/day=29/hour=17"


def message(name: str) -> str:
    found = {"key": f"{HOUR}/{name}", "etag": "e", "version-id": "v"}
    return json.dumps({"detail": {"bucket": {"name": "data"}, "object": found}})


class Messages:
    """A queue of SQS."""

    def __init__(self, *bodies: str) -> None:
        self.waiting = list(bodies)
        self.taken: dict[str, str] = {}

    def receive_message(self, **_: Any) -> dict[str, Any]:
        found, self.waiting = self.waiting[:10], self.waiting[10:]
        receipts = {f"r{len(self.taken) + number}": body for number, body in enumerate(found)}
        self.taken |= receipts
        return {"Messages": [{"ReceiptHandle": name, "Body": body} for name, body in receipts.items()]}

    def delete_message_batch(self, *, Entries: list[dict[str, str]], **_: Any) -> None:
        for entry in Entries:
            del self.taken[entry["ReceiptHandle"]]


def feed_of(client: Any, memory: Memory, **members: Any) -> Feed:
    return Feed(Queue(client, "url"), memory, FOLDER, lambda: (PLAN, streaming_release()), **members)


def objects_of(memory: Memory, name: str) -> list[str]:
    document = json.loads(memory.found[ObjectUri("data", name)])
    return [json.loads(text)["object_key"].rpartition("/")[2] for text in document["objects"] if text]


def test_manifest_has_each_object_once_in_the_order_of_keys() -> None:
    messages = Messages(message("b"), message("a"), message("b"), "no event", *map(message, "cdefghijkl"))
    memory = Memory()
    feed = feed_of(messages, memory)
    assert feed.make() == 12
    assert feed.make() == 0
    (name,) = memory.keys_under(FOLDER)
    assert objects_of(memory, name) == list("abcdefghijkl")
    assert list(messages.taken.values()) == ["no event"]  # it comes again, and ends as a dead letter


def test_messages_stay_until_their_manifest_is_written() -> None:
    class Full(Memory):
        def write(self, uri: ObjectUri, body: bytes) -> None:
            raise OSError("full")

    messages = Messages(message("a"))
    with pytest.raises(OSError, match="full"):
        feed_of(messages, Full()).make()
    assert list(messages.taken.values()) == [message("a")]


def test_names_are_in_order_though_the_clock_goes_back() -> None:
    memory = Memory()
    times = iter([200.0, 100.0])
    first = feed_of(Messages(), memory, clock=lambda: next(times))
    first.write([], keeps_pages=False)
    feed_of(Messages(), memory, clock=lambda: next(times)).write([], keeps_pages=False)
    assert memory.keys_under(FOLDER) == [f"{FOLDER.key}{200_000_000 + more:020d}.json" for more in (0, 1)]


def test_manifests_are_removed_that_nobody_begins_with_again() -> None:
    memory = Memory()
    before = ObjectUri(FOLDER.bucket, f"{FOLDER.key}{1:020d}.json")
    memory.write(before, b"of an earlier run")
    feed = feed_of(Messages(), memory)
    for number in range(8):
        feed.write([], keeps_pages=number in (1, 3, 5))
    written = memory.keys_under(FOLDER)[1:]

    assert (feed.forget(1), feed.forget(3)) == (0, 0)  # one that keeps pages is done at most
    assert memory.exists(before)
    assert feed.forget(5) == 2  # the earlier run's, and the first; from the second on all are there
    assert memory.keys_under(FOLDER) == written[1:]
    assert feed.forget(8) == 2
    assert memory.keys_under(FOLDER) == written[3:]
    assert feed.forget(8) == 0


def test_feed_waits_for_the_query_and_ends_with_it() -> None:
    messages = Messages(*map(message, "abc"))
    memory = Memory()
    feed = feed_of(messages, memory)
    progress = Progress(lambda sums: None)

    class Query:
        isActive = True  # noqa: N815  # as Spark calls it

        def awaitTermination(self) -> None:  # noqa: N802
            self.isActive = False

    query: Any = Query()
    feed.written = 2  # two manifests that the query has not done

    def pause(seconds: float) -> None:
        if messages.taken or not messages.waiting:
            query.isActive = False
        progress.done = 1

    run(query, feed, progress, pause)
    assert len(memory.keys_under(FOLDER)) == 1
    assert messages.taken == {}


def test_backfill_announces_all_raw_objects_once() -> None:
    memory = Memory()
    for name in ("b", "a"):
        memory.write(ObjectUri("data", f"{HOUR}/{name}"), b"")
    memory.write(ObjectUri("data", "raw/workload=other/x"), b"")
    named = {"workload": "w", "data-bucket": "data", "page-bucket": "p", "series-table": "s", "depth": "2"}
    named |= {"anomalies-table": "a", "alert-bus": "b", "queue-url": "q", "partitions": "4"}
    argv = [part for name, value in named.items() for part in (f"--{name}", value)]
    arguments = Arguments.parse([*argv, "--mode", "backfill", "--JOB_NAME", "j"])
    feed = Feed(Queue(Messages(), ""), memory, arguments.manifests, lambda: (PLAN, None))  # type: ignore[arg-type]  # no message is read
    announce(feed, memory, arguments)
    announce(feed, memory, arguments)
    (name,) = memory.keys_under(arguments.manifests)
    assert objects_of(memory, name) == ["a", "b"]
