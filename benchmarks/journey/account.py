"""How long the way from publish to alert takes in an account: the sum of what is published of its parts.

Nothing here was measured by us. Where AWS gives a figure it is AWS's; where AWS gives none, it is the 99th
percentile of 1,024 messages that others measured and published.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from infra.constructs.incident_grouping import BATCH_SECONDS
from watchkeeper.spec.delivery import SHARED_FROM, Delivery

_BUFFERING = "https://docs.aws.amazon.com/firehose/latest/dev/buffering.html"
_HINTS = "https://docs.aws.amazon.com/firehose/latest/dev/buffering-hints.html"
_NOTIFICATIONS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html"
_WINDOW = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"
_MEASURED = "https://bitesizedserverless.com/bite/serverless-messaging-latency-compared/"
FRESHNESSES = (SHARED_FROM, timedelta(seconds=10), timedelta(0))
"""What the table tells: sharing the stream, and a stream of one's own."""


@dataclass(frozen=True)
class Part:
    """A part of the way."""

    what: str
    seconds: float | None
    """At most, or at the 99th percentile; None where AWS gives words and no figure."""
    words: str
    source: str


def parts(freshness: timedelta) -> Iterator[Part]:
    """Give the parts that take time, in their order; the functions' own time is the laptop's figure."""
    delivery = Delivery.within(freshness)
    if delivery.partitioned:
        words = f"{delivery.buffer_seconds} s buffer, up to 1.5 times as long with dynamic partitioning"
        yield Part("delivery stream", delivery.longest_seconds, words, _BUFFERING)
    elif delivery.buffer_seconds:
        yield Part("delivery stream of its own", delivery.longest_seconds, "its buffer", _HINTS)
    else:
        yield Part("delivery stream of its own", None, "no buffer: within a few seconds", _HINTS)
    yield Part("S3's notification", None, "typically seconds, at times a minute or longer", _NOTIFICATIONS)
    yield _measured("event bus → queue", 0.387)
    yield _measured("FIFO queue → score_telemetry", 0.645)
    yield _measured("alert bus → queue of anomalies", 0.387)
    yield _measured("queue → group_anomalies", 0.105)
    yield Part("batch of anomalies", BATCH_SECONDS, "its window", _WINDOW)
    yield _measured("alert bus → queue of alerts", 0.387)
    yield _measured("queue → publish_alert", 0.105)
    yield _measured("SNS → subscriber", 0.225)


def _measured(what: str, seconds: float) -> Part:
    return Part(what, seconds, "p99, measured by others", _MEASURED)


def table() -> str:
    """Lay out the sums as a table, with the parts of the first one below it."""
    lines = ["| freshness | sum of the figures | and, where AWS gives words |", "| --- | --- | --- |"]
    for freshness in FRESHNESSES:
        way = list(parts(freshness))
        total = sum(part.seconds or 0.0 for part in way)
        words = "; ".join(f"{part.what}: {part.words}" for part in way if part.seconds is None)
        lines.append(f"| {freshness.total_seconds():g} s | up to {total:.1f} s | {words} |")
    lines += ["", "| part | at most | what it is | source |", "| --- | --- | --- | --- |"]
    for part in parts(FRESHNESSES[0]):
        seconds = "" if part.seconds is None else f"{part.seconds:g} s"
        lines.append(f"| {part.what} | {seconds} | {part.words} | <{part.source}> |")
    return "\n".join(lines)
