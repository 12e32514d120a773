"""A connection's quotas are AWS IoT's."""

from __future__ import annotations

import asyncio
import struct

import pytest

from localcloud.mqtt_limits import MAX_PAYLOAD_BYTES, Allowance, LimitedSession, publishable
from localcloud.seams import iot


class Clock:
    now = 5.0

    def __call__(self) -> float:
        return self.now


def test_a_hundred_publishes_a_second_and_no_more() -> None:
    clock = Clock()
    allowance = Allowance(clock)
    assert sum(allowance.take() for _ in range(150)) == 100
    clock.now += 0.25
    assert sum(allowance.take() for _ in range(150)) == 25
    clock.now += 60
    assert sum(allowance.take() for _ in range(150)) == 100


def publish_packet(payload: bytes) -> bytes:
    topic = b"plant/press"
    return struct.pack("!H", len(topic)) + topic + struct.pack("!H", 7) + payload


def handled(bodies: list[bytes], monkeypatch: pytest.MonkeyPatch) -> tuple[list[bool], int]:
    """Return whether the connection stays open after each, and how many the broker got."""
    seen = []

    async def handle(self: object, pkt_type: int, flags: int, body: bytes) -> bool:
        seen.append(body)
        return True

    async def drive() -> list[bool]:
        session = LimitedSession(None, "111122223333", "eu-west-1")
        return [await session.handle_packet(iot.PKT_PUBLISH, 2, body) for body in bodies]

    monkeypatch.setattr(iot.Session, "handle_packet", handle)
    return asyncio.run(drive()), len(seen)


def test_what_is_beyond_the_rate_is_discarded_and_the_connection_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, reached = handled([publish_packet(b"{}")] * 300, monkeypatch)
    assert all(answers)
    assert 100 <= reached < 250


def test_a_payload_beyond_128_kib_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = [MAX_PAYLOAD_BYTES - 2, MAX_PAYLOAD_BYTES + 1]
    answers, reached = handled([publish_packet(b"x" * size) for size in sizes], monkeypatch)
    assert (answers, reached) == ([True, False], 1)


@pytest.mark.parametrize(
    ("topic", "taken"),
    [
        ("a/b/c/d/e/f/g/h", True),
        ("a/b/c/d/e/f/g/h/i", False),
        ("$aws/rules/flow/a/b/c/d/e/f/g/h", True),
        ("$aws/rules/flow/a/b/c/d/e/f/g/h/i", False),
        ("$aws/rules/flow", True),
        ("$aws/rules/flow/" + "x" * 256, True),
        ("$aws/rules/flow/" + "x" * 257, False),
    ],
)
def test_a_topics_length_is_counted_without_the_rule_that_basic_ingest_names(topic: str, taken: bool) -> None:
    assert publishable(lambda rest: len(rest) <= 256, topic) is taken
