"""From a device to scores and alerts: how many records a second, and how soon an alert."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import track

from benchmarks.journey.laptop import Trained
from benchmarks.journey.telemetry import Source
from cli.demo.inbox import Inbox
from cli.demo.scores import ScoreReader, expected_intervals, wait_until_scored
from cli.device import provisioned, topic_of
from cli.failures import StepFailedError
from cli.publisher import Publisher
from watchkeeper.command.screen import console
from watchkeeper.core.timestamps import format_instant

POLL_SECONDS = 0.05
ALERT_SECONDS = 30.0


@dataclass(frozen=True)
class Throughput:
    """Records that were published as fast as the broker took them, until the last one was scored."""

    records: int
    acknowledged_seconds: float
    scored_seconds: float

    @property
    def records_per_second(self) -> float:
        """From the first publish to the last score."""
        return self.records / self.scored_seconds


@dataclass(frozen=True)
class Line:
    """A connected device, its sensor, and what the scoring loop has written of it."""

    source: Source
    publisher: Publisher
    topic: str
    reader: ScoreReader

    def send(self, messages: list[bytes]) -> None:
        """Publish messages; return when the broker has them."""
        for message in messages:
            self.publisher.publish(self.topic, message, self.source.record(message).event_time)
        self.publisher.drain()

    def wait_for_scores(self, messages: list[bytes]) -> None:
        """Wait until every interval that these messages close by themselves is scored."""
        expected = expected_intervals(map(self.source.record, messages), self.source.plan)
        wait_until_scored(
            self.reader, expected, lambda found: None, sleep=lambda seconds: time.sleep(POLL_SECONDS)
        )


@contextmanager
def connected(trained: Trained, source: Source) -> Iterator[Line]:
    """Connect a device with a certificate of its own."""
    topic = topic_of(trained.spec, "benchmark")
    reader = ScoreReader(trained.session, trained.deployment.bucket, trained.spec.name)
    with (
        provisioned(trained.session, trained.spec.name, topic) as identity,
        Publisher(trained.broker, identity, trained.spec.lateness) as publisher,
    ):
        yield Line(source, publisher, topic, reader)


def measure_throughput(line: Line, records: int) -> Throughput:
    """Publish so many records, and wait until all of their intervals are scored."""
    messages = list(line.source.messages(records))
    started = time.monotonic()
    line.send(messages)
    acknowledged = time.monotonic() - started
    line.wait_for_scores(messages)
    return Throughput(records, acknowledged, time.monotonic() - started)


def measure_alerts(line: Line, inbox: Inbox, count: int) -> list[float]:
    """Return the seconds from the publish of each of `count` spikes until its alert was received.

    A spike's interval closes with a later reading, so those readings follow at once. Enough calm readings
    are scored before each spike that the route's throttling is over.
    """
    plan = line.source.plan
    closing = 1 + math.ceil(plan.lateness_seconds / plan.interval_seconds)
    between = math.ceil(plan.alerts.throttle_seconds / plan.interval_seconds) + plan.features.shingle
    seconds = []
    for _ in track(range(count), "alerts", console=console, transient=True):
        quiet = line.source.calm_messages(between)
        line.send(quiet)
        line.wait_for_scores(quiet)
        spike_at = format_instant(line.source.next_time)
        burst = [line.source.spike_message(), *line.source.calm_messages(closing)]
        started = time.monotonic()
        for message in burst:
            line.publisher.publish(line.topic, message, line.source.record(message).event_time)
        _await_alert(inbox, spike_at)
        seconds.append(time.monotonic() - started)
        line.publisher.drain()
    return seconds


def _await_alert(inbox: Inbox, interval_start: str) -> None:
    deadline = time.monotonic() + ALERT_SECONDS
    while time.monotonic() < deadline:
        anomalies = [alert.notice.anomaly for alert in inbox.receive()]
        if any(each is not None and each.interval_start == interval_start for each in anomalies):
            return
    raise StepFailedError(f"no alert of the spike at {interval_start} within {ALERT_SECONDS:.0f} seconds")
