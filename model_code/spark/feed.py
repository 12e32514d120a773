"""Manifests out of notifications: what is announced in the queue becomes the input of a micro-batch."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lambdas.adapters.errors import translated
from lambdas.adapters.object_store import ObjectStore, ObjectUri
from lambdas.scoring.telemetry_object import TelemetryObject, announced_object
from spark.manifest import Announced, Manifest
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import Release

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

MOST_OBJECTS = 256
"""Of a manifest: more would make a micro-batch too large for the memory of a worker."""
KEEP_EVERY = 60
"""Manifests between two that keep the pages."""

_MESSAGES = 10
_WAIT_SECONDS = 5
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Queue:
    """Notifications that wait. Their order does not matter, and they may come twice."""

    client: SQSClient
    url: str

    def receive(self, most: int) -> list[tuple[str, TelemetryObject]]:
        """Return receipts and objects, at most so many; none after a while without any."""
        found: list[tuple[str, TelemetryObject | None]] = []
        while len(found) < most:
            with translated(f"receive messages of {self.url}"):
                answer: Any = self.client.receive_message(
                    QueueUrl=self.url,
                    MaxNumberOfMessages=_MESSAGES,
                    WaitTimeSeconds=0 if found else _WAIT_SECONDS,
                )
            messages = answer.get("Messages", [])
            if not messages:
                break
            found += [(message["ReceiptHandle"], _read(message["Body"])) for message in messages]
        return [(receipt, announced) for receipt, announced in found if announced is not None]

    def delete(self, receipts: Sequence[str]) -> None:
        """Forget messages: a manifest has what they announced."""
        for first in range(0, len(receipts), _MESSAGES):
            part = receipts[first : first + _MESSAGES]
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(part)
            ]
            with translated(f"delete messages of {self.url}"):
                self.client.delete_message_batch(QueueUrl=self.url, Entries=entries)


class ManifestStore(ObjectStore, Protocol):
    """Where manifests come and go."""

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object; one that is gone already is no error."""


@dataclass
class Feed:
    """Writes manifests, keeps no more of them waiting than the stream can use, and removes those that nobody
    begins with again.

    Parameters
    ----------
    queue
        Of one workload.
    objects
        Where manifests are.
    folder
        Of the manifests; their names are in the order of time.
    in_force
        Gives the plan and the live release of now.
    """

    queue: Queue
    objects: ManifestStore
    folder: ObjectUri
    in_force: Callable[[], tuple[WorkloadPlan, Release | None]]
    clock: Callable[[], float] = time.time
    written: int = 0
    _last: str = field(default="", init=False)
    _keeping: list[tuple[int, str]] = field(default_factory=list, init=False)
    """Which of the manifests written keep the pages: number and name."""

    def make(self) -> int:
        """Make a manifest of what waits in the queue, and return its number of objects."""
        received = self.queue.receive(MOST_OBJECTS)
        if not received:
            return 0
        found = {each.object_id: each for _, each in received}
        announced = [found[name] for name in sorted(found, key=lambda name: found[name].key)]
        self.write(announced, keeps_pages=self.written % KEEP_EVERY == 0)
        self.queue.delete([receipt for receipt, _ in received])
        return len(announced)

    def write(self, objects: Sequence[TelemetryObject], *, keeps_pages: bool) -> None:
        """Write a manifest of these objects."""
        plan, release = self.in_force()
        manifest = Manifest(plan, release, tuple(map(_announced, objects)), keeps_pages)
        uri = ObjectUri(self.folder.bucket, f"{self.folder.key}{self._name()}")
        self.objects.write(uri, manifest.to_json().encode())
        if keeps_pages:
            self._keeping.append((self.written, uri.key))
        self.written += 1

    def forget(self, done: int) -> int:
        """Remove the manifests before the last but one that keeps pages and is done; return how many.

        Who begins anew does so with the pages of the last one. An hour of manifests stays besides, for a
        micro-batch that is made again and for who looks into what happened.

        Parameters
        ----------
        done
            Micro-batches that the query has done of the manifests that this feed has written.
        """
        kept = [entry for entry in self._keeping if entry[0] < done]
        if len(kept) < 2:
            return 0
        first = kept[-2]
        old = [key for key in self.objects.keys_under(self.folder) if key < first[1]]
        for key in old:
            self.objects.remove(ObjectUri(self.folder.bucket, key))
        self._keeping = [entry for entry in self._keeping if entry[0] > first[0]]
        return len(old)

    def _name(self) -> str:
        """Return a name after all earlier ones, also if the clock was set back."""
        earlier = self._last or max(self.objects.keys_under(self.folder), default="").rpartition("/")[2]
        moment = round(self.clock() * _MICROSECONDS)
        if earlier:
            moment = max(moment, int(earlier.partition(".")[0]) + 1)
        self._last = f"{moment:020d}.json"
        return self._last


def backlog(objects: Sequence[TelemetryObject], most: int = MOST_OBJECTS) -> Iterator[list[TelemetryObject]]:
    """Yield objects in the order of their keys, as many as a manifest has."""
    ordered = sorted(objects, key=lambda each: each.key)
    for first in range(0, len(ordered), most):
        yield ordered[first : first + most]


def _read(message: str) -> TelemetryObject | None:
    try:
        return announced_object(message)
    except InvalidInputError as error:  # it comes again, and ends as a dead letter
        logger.warning("a message is passed over: %s", error)
        return None


def _announced(found: TelemetryObject) -> Announced:
    return Announced(found.bucket, found.key, found.version_id, found.source)
