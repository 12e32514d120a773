"""Releases in the series table: one item for each training run, the pointer `LIVE`, and beside them where
feedback has moved thresholds (`MOVED`)."""

from __future__ import annotations

import dataclasses
import functools
import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lambdas.adapters.errors import CONDITION_FAILED, translated, unless
from watchkeeper.core.errors import ContractViolationError, InvalidInputError, UnavailableError
from watchkeeper.judgement.moved import NOTHING_MOVED, MovedThresholds
from watchkeeper.kinds import AnyRelease, release_from_json
from watchkeeper.lifecycle.release import LIVE, MOVED, Release, live_key, moved_key, release_key, release_pk

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


MOVED_BYTES = 380_000
"""Of moved thresholds, packed: DynamoDB takes 400 KB."""


class LivePointer(NamedTuple):
    """What `LIVE` holds: the published release, and the one that it replaced."""

    document: str
    release: AnyRelease
    previous: AnyRelease | None


class ReleaseStore(Protocol):
    """Releases of workloads."""

    def live(self, workload: str) -> AnyRelease | None:
        """Return the published release."""

    def of_run(self, workload: str, run_id: str) -> AnyRelease | None:
        """Return the release of a training run."""

    def staged(self, workload: str) -> list[AnyRelease]:
        """Return the staged releases, the oldest run first."""

    def candidates(self, workload: str) -> list[Release]:
        """Return the releases whose models may score telemetry: the live one, then the newest run first.

        Each has the thresholds that feedback has moved. Nothing is returned while no release of an anomaly
        workload is live.
        """

    def moved(self, workload: str) -> MovedThresholds:
        """Return where feedback has moved a workload's thresholds."""

    def stage(self, release: AnyRelease) -> None:
        """Write the release of its run."""

    def publish(self, release: AnyRelease) -> AnyRelease | None:
        """Make a release the live one, and return the one that it replaced; again and again the same.

        Raises
        ------
        ContractViolationError
            If the live release is of a newer run.
        UnavailableError
            If another one was published at the same time.
        """

    def go_back(self, release: AnyRelease) -> AnyRelease | None:
        """Make a release the live one also over that of a newer run; else as `publish`."""

    def remove(self, workload: str, run_id: str) -> None:
        """Delete the release of a run; nothing happens if there is none."""


@dataclass(frozen=True)
class TableReleaseStore:
    """`ReleaseStore` in DynamoDB."""

    client: DynamoDBClient
    table: str

    def live(self, workload: str) -> AnyRelease | None:
        pointer = self._pointer(workload)
        return pointer.release if pointer else None

    def of_run(self, workload: str, run_id: str) -> AnyRelease | None:
        item = self._item(release_key(workload, run_id))
        return release_from_json(item["document"]["S"]) if item else None

    def staged(self, workload: str) -> list[AnyRelease]:
        releases = [
            release_from_json(item["document"]["S"])
            for item in self._items(workload)
            if item["sk"]["S"] not in (LIVE, MOVED)
        ]
        return sorted(releases, key=lambda release: release.run_id)

    def candidates(self, workload: str) -> list[Release]:
        items = {item["sk"]["S"]: item for item in self._items(workload)}
        moved = moved_of(items.pop(MOVED, None))
        releases = {name: release_from_json(item["document"]["S"]) for name, item in items.items()}
        return live_first(releases.pop(LIVE, None), releases.values(), moved)

    def moved(self, workload: str) -> MovedThresholds:
        return moved_of(self._item(moved_key(workload)))

    def stage(self, release: AnyRelease) -> None:
        with translated(f"write release {release.run_id} of {release.workload}"):
            self.client.put_item(
                TableName=self.table,
                Item={
                    **_typed(release_key(release.workload, release.run_id)),
                    "document": {"S": release.to_json()},
                },
            )

    def publish(self, release: AnyRelease) -> AnyRelease | None:
        pointer = self._pointer(release.workload)
        if pointer and pointer.release.run_id > release.run_id:
            raise newer_is_live(release, pointer.release)
        return self._replace(pointer, release)

    def go_back(self, release: AnyRelease) -> AnyRelease | None:
        return self._replace(self._pointer(release.workload), release)

    def _replace(self, pointer: LivePointer | None, release: AnyRelease) -> AnyRelease | None:
        if pointer and pointer.release.run_id == release.run_id:
            return pointer.previous
        item: dict[str, Any] = {**_typed(live_key(release.workload)), "document": {"S": release.to_json()}}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if pointer:
            item["previous"] = {"S": pointer.release.to_json()}
            condition = {
                "ConditionExpression": "document = :seen",
                "ExpressionAttributeValues": {":seen": {"S": pointer.document}},
            }
        written = unless(
            CONDITION_FAILED,
            f"publish release {release.run_id} of {release.workload}",
            lambda: self.client.put_item(TableName=self.table, Item=item, **condition),
        )
        if written is None:
            raise UnavailableError(f"another release of {release.workload} was published at the same time")
        return pointer.release if pointer else None

    def remove(self, workload: str, run_id: str) -> None:
        with translated(f"delete release {run_id} of {workload}"):
            self.client.delete_item(TableName=self.table, Key=_typed(release_key(workload, run_id)))

    def _pointer(self, workload: str) -> LivePointer | None:
        item = self._item(live_key(workload))
        if item is None:
            return None
        previous = item.get("previous")
        return LivePointer(
            document=item["document"]["S"],
            release=release_from_json(item["document"]["S"]),
            previous=release_from_json(previous["S"]) if previous else None,
        )

    def _items(self, workload: str) -> list[dict[str, Any]]:
        with translated(f"list releases of {workload}"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": release_pk(workload)}},
                ConsistentRead=True,
            )
            return [item for page in pages for item in page["Items"]]

    def _item(self, key: dict[str, str]) -> dict[str, Any] | None:
        with translated(f"read {key['pk']} {key['sk']}"):
            response = self.client.get_item(TableName=self.table, Key=_typed(key), ConsistentRead=True)
        return response.get("Item")


def moved_of(item: Mapping[str, Any] | None) -> MovedThresholds:
    """Return what an item says that `moving` has written."""
    return NOTHING_MOVED if item is None else _unpacked(item["moved"]["B"])


def moving(table: str, workload: str, moved: MovedThresholds) -> dict[str, Any]:
    """Return the update, for a transaction, that makes these the workload's moved thresholds.

    Raises
    ------
    InvalidInputError
        If they are too many for an item.
    """
    packed = gzip.compress(moved.to_json().encode(), mtime=0)
    if len(packed) > MOVED_BYTES:
        count = sum(map(len, moved.series.values()))
        raise InvalidInputError(
            f"feedback would move {count} thresholds of {workload}, {len(packed)} bytes: more than "
            f"{MOVED_BYTES}; take some of it back: `watchkeeper feedback {workload} --list`"
        )
    # an update of this attribute and no other: who gives verdicts has no right to write a release
    return {
        "TableName": table,
        "Key": _typed(moved_key(workload)),
        "UpdateExpression": "SET moved = :moved",
        "ExpressionAttributeValues": {":moved": {"B": packed}},
    }


@functools.lru_cache(maxsize=64)
def _unpacked(packed: bytes) -> MovedThresholds:
    """Read it once, as long as it stays: it comes with the releases of every object."""
    return MovedThresholds.from_json(gzip.decompress(packed))


def live_first(
    live: AnyRelease | None, staged: Iterable[AnyRelease], moved: MovedThresholds = NOTHING_MOVED
) -> list[Release]:
    """Order the releases whose models may score telemetry; see `ReleaseStore.candidates`."""
    if not isinstance(live, Release):
        return []
    others = [each for each in staged if isinstance(each, Release) and each.run_id != live.run_id]
    found = [live, *sorted(others, key=lambda release: release.run_id, reverse=True)]
    return [dataclasses.replace(release, moved=moved) for release in found] if moved else found


def newer_is_live(release: AnyRelease, live: AnyRelease) -> ContractViolationError:
    """Return the error of an attempt to publish a release over one of a newer run."""
    return ContractViolationError(
        f"run {release.run_id} may not replace the live release of {release.workload}: "
        f"that one is of the newer run {live.run_id}"
    )


def _typed(key: dict[str, str]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in key.items()}
