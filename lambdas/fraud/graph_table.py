"""The table of graphs: its keys, its items, and reading and writing many of them at once.

| item | partition key | sort key |
| --- | --- | --- |
| a transaction | `WORKLOAD#transaction#ID` | `TRANSACTION` |
| an entity's page (`entity_page`) | `WORKLOAD#entity#SCHEMA#RELATION#KEY` | `PAGE` |
| a transaction that the page no longer has | the same | `OLDER#TIME#ID` |

A plan with other features has another schema, and so a graph of its own, with vectors of one width; a
transaction's item says in which graph it is.

The index `by_arrival` has the transactions that came through the API, or whose label did, on `SHELVES`
partitions a workload in the order of their coming; all others lack its keys.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from botocore.exceptions import ClientError

from lambdas.adapters.errors import CONDITION_FAILED, code_of, translated
from lambdas.fraud.entity_page import EntityPage
from lambdas.fraud.store import (
    LiveTransaction,
    decision_from_json,
    decision_to_json,
    transaction_from_json,
    transaction_to_json,
)
from lambdas.fraud.transaction_index import ARRIVED, BY_ARRIVAL, SHELF
from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause, pause_with_jitter
from lambdas.runtime.threads import ForEach, in_threads
from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.layout import short_hash
from watchkeeper.fraud.history import Label, Neighbour, StoredTransaction, Vector
from watchkeeper.fraud.transaction import Transaction

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SHELVES = 4
"""A partition of an index takes 1,000 writes a second."""
MOST_ACTIONS = 100
"""Of one transaction of DynamoDB."""
MOST_KEYS = 100
"""Of one `BatchGetItem`."""
MOST_DELETED = 25
"""Of one `BatchWriteItem`."""

TRANSACTION, PAGE, OLDER = "TRANSACTION", "PAGE", "OLDER"
_CANCELLED = "TransactionCanceledException"
_BUSY = frozenset({"TransactionConflictException", "TransactionInProgressException"})
_SEEN_BY_OTHERS = frozenset(
    {
        *("None", "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError"),
        "ProvisionedThroughputExceeded",
    }
)
"""Reasons of a cancellation after which reading and trying again helps."""
_MOST_KEY_BYTES = 1024

Item = dict[str, Any]
"""An item as DynamoDB's API has it, with the types of its values."""
Key = tuple[str, str]


@dataclass(frozen=True)
class GraphKeys:
    """The keys of a workload's items."""

    workload: str
    schema: str
    """Hash of the plan's feature schema."""

    def transaction(self, id_: str) -> Key:
        """Key of a transaction."""
        return f"{self.workload}#transaction#{id_}", TRANSACTION

    def page(self, relation: str, entity: str) -> Key:
        """Key of an entity's page; of a long key its hash stands."""
        if len(entity.encode()) > _MOST_KEY_BYTES:
            entity = f"#{short_hash(entity, 64)}"
        return f"{self.workload}#entity#{self.schema}#{relation}#{entity}", PAGE

    def pages(self, transaction: Transaction) -> dict[str, Key]:
        """Keys of the pages of a transaction's entities by relation."""
        return {relation: self.page(relation, entity) for relation, entity in transaction.entities.items()}

    def shelves(self) -> list[str]:
        """Partitions of the index."""
        return [f"{self.workload}#{shelf}" for shelf in range(SHELVES)]

    def arrival(self, id_: str, arrived_at: str) -> Item:
        """Attributes by which the index has a transaction."""
        shelf = self.shelves()[zlib.crc32(id_.encode()) % SHELVES]
        return {SHELF: {"S": shelf}, ARRIVED: {"S": f"{arrived_at}#{id_}"}}


def older_key(page: Key, neighbour: Neighbour) -> Key:
    """Key of a transaction that a page no longer has."""
    return page[0], f"{OLDER}#{sortable(neighbour.time)}#{neighbour.id}"


def sortable(number: float) -> str:
    """Return a number as text that sorts as the number does, without losing a bit.

    Examples
    --------
    >>> sortable(-1.0) < sortable(0.0) == sortable(-0.0) < sortable(1e-9) < sortable(1e9)
    True
    """
    (bits,) = struct.unpack(">Q", struct.pack(">d", number + 0.0))
    return f"{bits ^ (0xFFFFFFFFFFFFFFFF if bits >> 63 else 1 << 63):016x}"


def key_item(key: Key) -> Item:
    """Return a key as DynamoDB's API has it."""
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def transaction_item(key: Key, stored: StoredTransaction, schema: str) -> Item:
    """Return the item of a new transaction."""
    return {
        **key_item(key),
        "graph": {"S": schema},
        "content": {"S": transaction_to_json(stored.transaction)},
        "digest": {"S": stored.transaction.digest},
        "vector": {"B": packed(stored.vector)},
        **({"label": {"S": label_to_json(stored.label)}} if stored.label else {}),
        **({"decision": {"S": decision_to_json(stored.decision)}} if stored.decision else {}),
    }


def stored_of(item: Item) -> StoredTransaction:
    """Read the item of a transaction."""
    return StoredTransaction(
        transaction_from_json(item["content"]["S"]),
        unpacked(item["vector"]["B"]),
        Label(**json.loads(item["label"]["S"])) if "label" in item else None,
        decision_from_json(item["decision"]["S"]) if "decision" in item else None,
    )


def live_of(item: Item) -> LiveTransaction:
    """Read the item of a transaction that the index has."""
    fields = json.loads(item["fields"]["S"]) if "fields" in item else None
    return LiveTransaction(stored_of(item), item[ARRIVED]["S"].partition("#")[0], fields)


def older_item(key: Key, neighbour: Neighbour) -> Item:
    """Return the item of a transaction that a page no longer has."""
    label = {"label": {"S": label_to_json(neighbour.label)}} if neighbour.label else {}
    return {**key_item(key), "vector": {"B": packed(neighbour.vector)}, **label}


def older_neighbour(item: Item) -> Neighbour:
    """Read such an item."""
    _, time, id_ = item["sk"]["S"].split("#", 2)
    bits = int(time, 16)
    bits ^= 1 << 63 if bits >> 63 else 0xFFFFFFFFFFFFFFFF
    (number,) = struct.unpack(">d", struct.pack(">Q", bits))
    label = Label(**json.loads(item["label"]["S"])) if "label" in item else None
    return Neighbour(id_, number, unpacked(item["vector"]["B"]), label)


def label_to_json(label: Label) -> str:
    """Return a label as JSON."""
    return json.dumps({"fraud": label.fraud, "known_at": label.known_at, "by": label.by})


def packed(vector: Vector) -> bytes:
    """Return a vector as bytes, the lowest first."""
    return vector.astype("<f4").tobytes()


def unpacked(content: bytes) -> Vector:
    """Read what `packed` wrote."""
    return np.frombuffer(content, "<f4").astype(np.float32)


@dataclass(frozen=True, eq=False)
class SeenPage:
    """An entity's page, and which version of it was read."""

    page: EntityPage
    version: int = 0
    """0 where there was none."""

    @classmethod
    def of(cls, item: Item | None) -> SeenPage:
        """Read the item of a page; None where there is none."""
        if item is None:
            return cls(EntityPage())
        return cls(EntityPage.from_bytes(item["page"]["B"]), int(item["version"]["N"]))


@dataclass(frozen=True)
class GraphTable:
    """Reads and writes many items at once."""

    client: DynamoDBClient
    table: str
    for_each: ForEach = in_threads
    pause: Pause = pause_with_jitter

    def read(self, keys: Iterable[Key]) -> dict[Key, Item]:
        """Return the items of the keys that there are.

        Raises
        ------
        UnavailableError
            If DynamoDB leaves some unread again and again.
        """
        wanted = list(dict.fromkeys(keys))
        parts = [wanted[first : first + MOST_KEYS] for first in range(0, len(wanted), MOST_KEYS)]
        items = [item for part in self.for_each(self._read_some, parts) for item in part]
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}

    def older(self, page: Key) -> list[Neighbour]:
        """Return the transactions that a page no longer has, the earliest first."""
        with translated(f"read what {page[0]} had before"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :older)",
                ExpressionAttributeValues={":pk": {"S": page[0]}, ":older": {"S": f"{OLDER}#"}},
                ConsistentRead=True,
            )
            return [older_neighbour(item) for found in pages for item in found["Items"]]

    def write(self, actions: Sequence[Item]) -> bool:
        """Write all or nothing.

        Returns
        -------
        bool
            False where a condition does not hold or another transaction is at the same items: read again.
        """
        with translated(f"write {len(actions)} items of {self.table}"):
            try:
                self.client.transact_write_items(TransactItems=actions)  # type: ignore[arg-type]
            except ClientError as error:
                reasons: dict[str, Any] = dict(error.response)
                codes = {reason.get("Code", "None") for reason in reasons.get("CancellationReasons", ())}
                if code_of(error) in _BUSY or (code_of(error) == _CANCELLED and codes <= _SEEN_BY_OTHERS):
                    return False
                raise
        return True

    def update(self, key: Key, changes: Mapping[str, Any]) -> Item | None:
        """Update one item and return what it has then; None where there is no such item.

        Parameters
        ----------
        changes
            `UpdateExpression` and the values that it names.
        """
        for attempt in range(MAX_ATTEMPTS):
            with translated(f"update {key[0]}"):
                try:
                    return self.client.update_item(
                        TableName=self.table,
                        Key=key_item(key),
                        ConditionExpression="attribute_exists(pk)",
                        ReturnValues="ALL_NEW",
                        **changes,
                    )["Attributes"]
                except ClientError as error:
                    if code_of(error) in CONDITION_FAILED:
                        return None
                    if code_of(error) not in _BUSY:
                        raise
            self.pause(attempt)
        raise busy(key[0])

    def arrived(
        self, shelf: str, limit: int, *, newest_first: bool, after: str | None, bounds: tuple[str, str]
    ) -> list[tuple[str, str]]:
        """Return what the index has on a shelf, in the order of coming.

        Parameters
        ----------
        after
            Only what follows this place in that order.
        bounds
            Only from the first to before the second place.

        Returns
        -------
        list of tuple of str
            Place in the order, and partition key of the transaction.
        """
        low, high = bounds
        if after is not None:
            # the place itself was seen: the nearest text beyond it begins the rest
            low, high = (low, min(high, after)) if newest_first else (max(low, f"{after}\x00"), high)
        if low >= high:
            return []
        with translated(f"list {shelf}"):
            page = self.client.query(
                TableName=self.table,
                IndexName=BY_ARRIVAL,
                KeyConditionExpression=f"{SHELF} = :shelf AND {ARRIVED} BETWEEN :low AND :high",
                ExpressionAttributeValues={":shelf": {"S": shelf}, ":low": {"S": low}, ":high": {"S": high}},
                ScanIndexForward=not newest_first,
                Limit=limit + 1,
            )
        # BETWEEN takes both ends
        return [
            (item[ARRIVED]["S"], item["pk"]["S"]) for item in page["Items"] if item[ARRIVED]["S"] != high
        ][:limit]

    def empty(self, prefix: str) -> int:
        """Delete every item whose partition key begins so, and return how many these were."""
        deleted = 0
        with translated(f"empty {self.table} of {prefix}"):
            pages = self.client.get_paginator("scan").paginate(
                TableName=self.table,
                FilterExpression="begins_with(pk, :prefix)",
                ExpressionAttributeValues={":prefix": {"S": prefix}},
                ProjectionExpression="pk, sk",
            )
            for page in pages:
                keys = page["Items"]
                deleted += len(keys)
                parts = [keys[first : first + MOST_DELETED] for first in range(0, len(keys), MOST_DELETED)]
                self.for_each(self._delete, parts)
        return deleted

    def _read_some(self, keys: Sequence[Key]) -> list[Item]:
        found: list[Item] = []
        asked: Any = {self.table: {"Keys": list(map(key_item, keys)), "ConsistentRead": True}}
        self._until_done(
            asked, lambda rest: self._read_batch(rest, found), f"read {len(keys)} items of {self.table}"
        )
        return found

    def _read_batch(self, asked: Any, found: list[Item]) -> Any:
        answer = self.client.batch_get_item(RequestItems=asked)
        found += answer["Responses"].get(self.table, [])
        return answer.get("UnprocessedKeys")

    def _delete(self, keys: Sequence[Item]) -> None:
        asked: Any = {self.table: [{"DeleteRequest": {"Key": key}} for key in keys]}
        self._until_done(
            asked,
            lambda rest: self.client.batch_write_item(RequestItems=rest).get("UnprocessedItems"),
            f"delete {len(keys)} items of {self.table}",
        )

    def _until_done(self, asked: Any, call: Callable[[Any], Any], doing: str) -> None:
        for attempt in range(MAX_ATTEMPTS):
            with translated(doing):
                asked = call(asked)
            if not asked:
                return
            self.pause(attempt)
        raise UnavailableError(f"{doing}: DynamoDB left some undone {MAX_ATTEMPTS} times")


def busy(what: str) -> UnavailableError:
    """Return the error of what others changed each time that it was to be written."""
    return UnavailableError(f"{what} was changed by others {MAX_ATTEMPTS} times while it was to be written")
