"""A deployed scoring loop that faults are tried on: what is sent to it, and what it has said."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks.faults.killing import HIDDEN_SECONDS, Killer
from benchmarks.faults.lossy_line import lossy_line
from benchmarks.journey.laptop import Trained
from cli.device import provisioned, topic_of
from cli.failures import StepFailedError
from cli.publisher import Publisher
from lambdas.adapters.incident_store import TableIncidents
from watchkeeper.anomalies.score_line import ScoreLine, lines_of
from watchkeeper.core import layout
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.incidents.incident import Incident
from watchkeeper.spec import AnomalyWorkload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

QUIET_SECONDS, WAIT_SECONDS, LOOK_SECONDS = 3.0, 900.0, 0.5
_FAR = timedelta(days=3650)
_QUEUES = ("ScoreQueueUrl", "ScoreDeadLetterQueueUrl")
_BATCH = 10


@dataclass(frozen=True)
class Message:
    """What a device publishes, and where it stands in the order of publishing."""

    event_time: datetime
    body: bytes


def shuffled(messages: Iterable[Message], within: timedelta, order: random.Random) -> list[Message]:
    """Return messages in an order in which none comes after one that is `within` newer."""
    keys = [(each.event_time + within * order.random(), each.body) for each in messages]
    times = {each.body: each.event_time for each in messages}
    return [Message(times[body], body) for _, body in sorted(keys)]


def repeated(messages: Iterable[Message], share: float, order: random.Random) -> list[Message]:
    """Return messages, a share of them twice."""
    return [each for each in messages for _ in range(1 + (order.random() < share))]


@dataclass
class Loop:
    """One workload's scoring loop."""

    trained: Trained
    spec: AnomalyWorkload
    _seen: set[str] = field(default_factory=set)
    _announced: set[str] = field(default_factory=set)
    said: dict[tuple[str, str], list[ScoreLine]] = field(default_factory=lambda: defaultdict(list))
    """Lines by series and start of the interval; one that has two was scored twice."""

    @property
    def _s3(self) -> S3Client:
        client: S3Client = self.trained.session.client("s3")
        return client

    def shorten_waiting(self) -> None:
        """Let what a worker had that died before its first heartbeat come again soon."""
        sqs = self.trained.session.client("sqs")
        for url in (self._output("WatchkeeperScoring", "ScoreQueueUrl"), *self._alert_queues()):
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(HIDDEN_SECONDS)})

    def _output(self, stack: str, name: str) -> str:
        return self.trained.deployment.output(stack, name)

    def _alert_queues(self) -> list[str]:
        sqs: SQSClient = self.trained.session.client("sqs")
        return [
            url
            for name in ("WorkQueue", "IncidentsWorkQueue")
            for url in sqs.list_queues(QueueNamePrefix=f"WatchkeeperAlerting-{name}").get("QueueUrls", [])
        ]

    def send(
        self, devices: Sequence[Sequence[Message]], killer: Killer, *, loses: bool, seed: int, seconds: float
    ) -> int:
        """Publish what each device has, in its order, each over a connection of its own.

        Parameters
        ----------
        killer
            Begins with the first message.
        loses
            Whether the line loses acknowledgements.
        seconds
            How long it is to take at least.

        Returns
        -------
        int
            Connections that broke with an acknowledgement lost.
        """
        broker = self.trained.broker
        topic = topic_of(self.spec, "faults")
        with (
            lossy_line(broker.host, broker.port, seed) as line,
            provisioned(self.trained.session, self.spec.name, topic) as identity,
            ThreadPoolExecutor(len(devices)) as pool,
        ):
            if loses:
                broker = replace(broker, port=line.port)
            names = [replace(identity, name=f"{identity.name}-{number}") for number in range(len(devices))]
            pause = seconds / max(map(len, devices))
            publishers = [
                Publisher(broker, name, _FAR, connections=1, patience_seconds=WAIT_SECONDS) for name in names
            ]

            def publish(publisher: Publisher, messages: Sequence[Message]) -> None:
                with publisher:
                    for message in messages:
                        publisher.publish(topic, message.body, message.event_time)
                        time.sleep(pause)
                    publisher.drain()

            killer.start()
            list(pool.map(publish, publishers, devices))
            killer.finish()  # the server is asked to remove the device next
        return line.lost

    def incidents(self, start: datetime, end: datetime) -> list[Incident]:
        """Return the workload's incidents that began from `start` to `end`."""
        table = self._output("WatchkeeperStorage", "IncidentsTableName")
        store = TableIncidents(self.trained.session.client("dynamodb"), table)
        return store.between(self.spec.name, epoch_seconds(start), epoch_seconds(end) - 1)

    def read(self) -> int:
        """Read the objects of scores that are new, and return how many there were."""
        prefix = layout.scores_prefix(self.spec.name)
        keys = [
            key for key in _keys(self._s3, self.trained.deployment.bucket, prefix) if key not in self._seen
        ]
        for key in keys:
            body = self._s3.get_object(Bucket=self.trained.deployment.bucket, Key=key)["Body"].read()
            for line in lines_of(body):
                self.said[line.interval].append(line)
        self._seen.update(keys)
        return len(keys)

    def until(self, expected: set[tuple[str, str]]) -> None:
        """Wait until these intervals are said, or nothing comes any more."""
        quiet_from = time.monotonic()
        while not expected <= self.said.keys() and time.monotonic() - quiet_from < WAIT_SECONDS / 3:
            time.sleep(LOOK_SECONDS)
            if self.read():
                quiet_from = time.monotonic()

    def until_drained(self) -> None:
        """Wait until no message waits or is handled; then read what was said last.

        Raises
        ------
        StepFailedError
            If some wait for too long, or one is a dead letter.
        """
        sqs = self.trained.session.client("sqs")
        scoring, dead = (self._output("WatchkeeperScoring", name) for name in _QUEUES)
        alerts = self._alert_queues()

        def waiting(url: str) -> int:
            found: Any = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            return sum(
                int(found[f"ApproximateNumberOfMessages{name}"]) for name in ("", "NotVisible", "Delayed")
            )

        begun = quiet_from = time.monotonic()
        while time.monotonic() - quiet_from < QUIET_SECONDS:
            time.sleep(LOOK_SECONDS)
            if any(waiting(url) for url in (scoring, *alerts)):
                quiet_from = time.monotonic()
            if time.monotonic() - begun > WAIT_SECONDS or waiting(dead):
                raise StepFailedError(f"{self.spec.name}: messages wait, or {waiting(dead)} are dead letters")
        self.read()

    def announce_again(self, order: random.Random) -> int:
        """Deliver the message of every object of telemetry again, as if none had been acknowledged.

        What the loop knows of them outside of its pages is forgotten before, as it is after a worker died.
        Objects that were announced again before are not.
        """
        bucket, sqs = self.trained.deployment.bucket, self.trained.session.client("sqs")
        table = self.trained.session.client("dynamodb")
        name = self._output("WatchkeeperStorage", "IdempotencyTableName")
        for page in table.get_paginator("scan").paginate(TableName=name):
            for item in page["Items"]:
                if not item["id"]["S"].startswith("throttle#"):
                    table.delete_item(TableName=name, Key={"id": item["id"]})
        versions = self._s3.get_paginator("list_object_versions")
        found = [
            {"key": each["Key"], "version-id": each["VersionId"], "etag": each["ETag"].strip('"')}
            for page in versions.paginate(Bucket=bucket, Prefix=layout.raw_prefix(self.spec.name))
            for each in page.get("Versions", [])
            if each["Key"] not in self._announced
        ]
        self._announced.update(each["key"] for each in found)
        order.shuffle(found)
        entries: list[Any] = [
            {
                "Id": str(number % _BATCH),
                "MessageGroupId": self.spec.name,
                "MessageDeduplicationId": str(uuid4()),
                "MessageBody": json.dumps(
                    {
                        "source": "aws.s3",
                        "detail-type": "Object Created",
                        "detail": {"bucket": {"name": bucket}, "object": each},
                    }
                ),
            }
            for number, each in enumerate(found)
        ]
        url = self._output("WatchkeeperScoring", "ScoreQueueUrl")
        for first in range(0, len(entries), _BATCH):
            sqs.send_message_batch(QueueUrl=url, Entries=entries[first : first + _BATCH])
        return len(entries)

    def begin_anew(self) -> None:
        """Remove what the loop knows and has said of the workload, when nothing is under way any more."""
        self.until_drained()
        buckets = {
            self._output("WatchkeeperStorage", "PageBucketName"): [layout.pages_prefix(self.spec.name)],
            self.trained.deployment.bucket: [
                layout.scores_prefix(self.spec.name),
                layout.raw_prefix(self.spec.name),
                f"{layout.QUARANTINE}/{self.spec.name}/",
            ],
        }
        for bucket, prefixes in buckets.items():
            for prefix in prefixes:
                for key in _keys(self._s3, bucket, prefix):
                    self._s3.delete_object(Bucket=bucket, Key=key)
        self._seen.clear()
        self.said.clear()

    def refused(self) -> list[dict[str, Any]]:
        """Return the lines that were quarantined."""
        bucket, prefix = self.trained.deployment.bucket, f"{layout.QUARANTINE}/{self.spec.name}/"
        return [
            json.loads(line)
            for key in _keys(self._s3, bucket, prefix)
            if not key.startswith(f"{prefix}runs/")
            for line in self._s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()
        ]


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Give the seconds since the beginning of the block."""
    begun = time.monotonic()
    yield lambda: time.monotonic() - begun


def _keys(client: S3Client, bucket: str, prefix: str) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]
