"""Releases in the series table: one item for each training run, and the pointer `LIVE`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lambdas.adapters.errors import CONDITION_FAILED, translated, unless
from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.kinds import AnyRelease, release_from_json
from watchkeeper.lifecycle.release import LIVE, Release, live_key, release_key, release_pk

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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

        Nothing is returned while no release of an anomaly workload is live.
        """

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
        items = self._items(workload)
        releases = [release_from_json(item["document"]["S"]) for item in items if item["sk"]["S"] != LIVE]
        return sorted(releases, key=lambda release: release.run_id)

    def candidates(self, workload: str) -> list[Release]:
        releases = {
            item["sk"]["S"]: release_from_json(item["document"]["S"]) for item in self._items(workload)
        }
        return live_first(releases.pop(LIVE, None), releases.values())

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


def live_first(live: AnyRelease | None, staged: Iterable[AnyRelease]) -> list[Release]:
    """Order the releases whose models may score telemetry; see `ReleaseStore.candidates`."""
    if not isinstance(live, Release):
        return []
    others = [each for each in staged if isinstance(each, Release) and each.run_id != live.run_id]
    return [live, *sorted(others, key=lambda release: release.run_id, reverse=True)]


def newer_is_live(release: AnyRelease, live: AnyRelease) -> ContractViolationError:
    """Return the error of an attempt to publish a release over one of a newer run."""
    return ContractViolationError(
        f"run {release.run_id} may not replace the live release of {release.workload}: "
        f"that one is of the newer run {live.run_id}"
    )


def _typed(key: dict[str, str]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in key.items()}
