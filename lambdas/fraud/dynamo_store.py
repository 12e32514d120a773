"""The graph of a workload in DynamoDB: the latest transactions by entity, read and written under a lock that
every page carries, its version. It costs nothing while nothing comes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lambdas.fraud.entity_page import SPARE, EntityPage, history_of
from lambdas.fraud.graph_table import (
    MOST_ACTIONS,
    GraphKeys,
    GraphTable,
    Item,
    Key,
    SeenPage,
    busy,
    key_item,
    label_to_json,
    live_of,
    older_item,
    older_key,
    packed,
    stored_of,
    transaction_item,
)
from lambdas.fraud.store import (
    Arrival,
    Deciding,
    Features,
    Filter,
    Listing,
    LiveTransaction,
    Loaded,
    Placed,
    decision_from_json,
    decision_to_json,
)
from lambdas.fraud.transaction_index import ARRIVED, SHELF
from lambdas.runtime.retrying import MAX_ATTEMPTS
from watchkeeper.fraud.history import (
    ConflictError,
    Decision,
    EntityHistory,
    Inserted,
    Known,
    Label,
    Neighbour,
    Neighbourhood,
    StoredTransaction,
    UnknownTransactionError,
    Vector,
)
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.transaction import Transaction

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PAGES_READ = 10
"""Pages of the index that one listing reads for its filter."""
_MOST_PAGE_BYTES, _NEIGHBOUR_BYTES = 1_500_000, 200
"""Of the pages in one write, which may have 4 MB with what was sent; of a transaction beside its vector."""
_EARLIEST, _LATEST = "0", "~"
"""Before and after every time in ISO 8601."""


@dataclass(frozen=True)
class _Incoming:
    """A transaction that is to be inserted."""

    transaction: Transaction
    vector: Callable[[Neighbourhood], Vector]
    label: Label | None = None
    arrival: Mapping[str, Any] = field(default_factory=dict)
    """Further attributes of its item."""
    deciding: Deciding | None = None


@dataclass
class _Batch:
    """Writes of several transactions that are made at once."""

    pages: dict[Key, SeenPage] = field(default_factory=dict)
    """As they will be, with the versions that were read."""
    puts: list[Item] = field(default_factory=list)
    placed: dict[int, Placed] = field(default_factory=dict)


class DynamoTransactionStore:
    """`TransactionStore` in DynamoDB.

    Parameters
    ----------
    plan
        Of the workload whose graph it is.
    """

    def __init__(self, client: DynamoDBClient, table: str, plan: FraudPlan) -> None:
        self._table, self._neighbours = GraphTable(client, table), plan.neighbours
        schema = schema_of(plan)
        self._keys = GraphKeys(plan.workload, schema.hash)
        vectors = 1 + len(plan.relations) * (plan.neighbours + SPARE + 1)
        each = vectors * (len(schema.names) * np.dtype(np.float32).itemsize + _NEIGHBOUR_BYTES)
        self._most_at_once = max(1, _MOST_PAGE_BYTES // each)

    def neighbourhood(self, transaction: Transaction) -> dict[str, EntityHistory]:
        """See `GraphStore`."""
        keys = self._keys.pages(transaction)
        items = self._table.read(keys.values())
        return {
            relation: self._history(key, SeenPage.of(items.get(key)).page, transaction)
            for relation, key in keys.items()
        }

    def insert(self, stored: StoredTransaction) -> Inserted | Known:
        """See `GraphStore`."""
        (placed,) = self._insert(
            [_Incoming(stored.transaction, lambda neighbourhood: stored.vector, stored.label)]
        )
        return Inserted(placed.stored) if placed.new else Known(placed.stored)

    def place(
        self, arrivals: Sequence[Arrival], features: Features, deciding: Deciding | None = None
    ) -> list[Placed]:
        """See `TransactionStore`."""
        return self._insert([self._incoming(arrival, features, deciding) for arrival in arrivals])

    def load(self, history: Sequence[StoredTransaction]) -> Loaded:
        """See `TransactionStore`."""
        incoming = [
            _Incoming(one.transaction, lambda neighbourhood, one=one: one.vector, one.label)  # type: ignore[misc]
            for one in history
        ]
        placed = self._insert(incoming, wants_neighbourhood=False)
        total = Loaded()
        for one, there in zip(history, placed, strict=True):
            takes_label = not there.new and one.label is not None and there.stored.label is None
            if takes_label and one.label is not None:
                self.label(one.transaction.id, one.label)
            total += Loaded(new=there.new, known=not there.new, labelled=takes_label)
        return total

    def answer(self, id_: str, decision: Decision) -> None:
        """See `GraphStore`."""
        self.keep_answer(id_, decision)

    def keep_answer(self, id_: str, decision: Decision) -> Decision:
        """See `TransactionStore`."""
        kept = self._table.update(
            self._keys.transaction(id_),
            {
                "UpdateExpression": "SET decision = if_not_exists(decision, :decision)",
                "ExpressionAttributeValues": {":decision": {"S": decision_to_json(decision)}},
            },
        )
        if kept is None:
            raise UnknownTransactionError(id_)
        return decision_from_json(kept["decision"]["S"])

    def label(self, id_: str, label: Label, reported_at: str | None = None) -> bool:
        """See `TransactionStore`."""
        key = self._keys.transaction(id_)
        for attempt in range(MAX_ATTEMPTS):
            item = self._table.read([key]).get(key)
            if item is None:
                raise UnknownTransactionError(id_)
            stored = stored_of(item)
            if stored.label is not None and stored.label.fraud == label.fraud:
                return False
            batch = _Batch()
            batch.puts.append(self._label_write(key, item, label, reported_at))
            self._relabel_entities(stored, label, batch)
            if self._table.write([*batch.puts, *self._page_writes(batch)]):
                return True
            self._table.pause(attempt)
        raise busy(f"transaction {id_} or an entity of it")

    def get(self, id_: str) -> StoredTransaction | None:
        """See `GraphStore`."""
        key = self._keys.transaction(id_)
        item = self._table.read([key]).get(key)
        return None if item is None else stored_of(item)

    def listed(self, wanted: Filter, limit: int, start: str | None) -> Listing:
        """See `TransactionStore`."""
        bounds = (wanted.since or _EARLIEST, wanted.until or _LATEST)
        found: list[LiveTransaction] = []
        for _ in range(_PAGES_READ):
            places = self._arrivals(limit, newest_first=True, after=start, bounds=bounds)
            for place, live in self._read_live(places):
                start = place
                if live is not None and wanted.takes(live.stored):
                    found.append(live)
                if len(found) == limit:
                    return Listing(found, start)
            if len(places) < limit:
                return Listing(found, None)
        return Listing(found, start)

    def live(self, cursor: str | None, limit: int) -> tuple[list[LiveTransaction], str | None]:
        """See `TransactionStore`."""
        places = self._arrivals(limit, newest_first=False, after=cursor, bounds=(_EARLIEST, _LATEST))
        found = [live for _, live in self._read_live(places) if live is not None]
        return found, places[-1][0] if len(places) == limit else None

    def empty(self) -> int:
        """See `TransactionStore`."""
        return self._table.empty(f"{self._keys.workload}#")

    def _incoming(self, arrival: Arrival, features: Features, deciding: Deciding | None) -> _Incoming:
        transaction = arrival.transaction
        return _Incoming(
            transaction,
            lambda neighbourhood: features(transaction, neighbourhood),
            arrival={
                "fields": {"S": json.dumps(arrival.fields, separators=(",", ":"))},
                **self._keys.arrival(transaction.id, arrival.arrived_at),
            },
            deciding=deciding,
        )

    def _insert(self, incoming: Sequence[_Incoming], *, wants_neighbourhood: bool = True) -> list[Placed]:
        waiting = sorted(range(len(incoming)), key=lambda at: incoming[at].transaction.order)
        done: dict[int, Placed] = {}
        for attempt in range(MAX_ATTEMPTS):
            keys = [
                key
                for at in waiting
                for key in (
                    self._keys.transaction(incoming[at].transaction.id),
                    *self._keys.pages(incoming[at].transaction).values(),
                )
            ]
            items = self._table.read(keys)
            if wants_neighbourhood:  # what the history says of a transaction may differ from what was sent
                self._refuse_conflicts([incoming[at].transaction for at in waiting], items)
            done |= self._insert_read([(at, incoming[at]) for at in waiting], items, wants_neighbourhood)
            waiting = [at for at in waiting if at not in done]
            if not waiting:
                return [done[at] for at in range(len(incoming))]
            self._table.pause(attempt)
        raise busy(f"transaction {incoming[waiting[0]].transaction.id} or an entity of it")

    def _refuse_conflicts(self, transactions: Sequence[Transaction], items: Mapping[Key, Item]) -> None:
        digests = {
            id_: item["digest"]["S"]
            for id_ in {each.id for each in transactions}
            if (item := items.get(self._keys.transaction(id_)))
        }
        for each in transactions:
            if digests.setdefault(each.id, each.digest) != each.digest:
                raise ConflictError(
                    f"transaction {each.id!r} was sent before with other content: an id is given once"
                )

    def _insert_read(
        self, incoming: Sequence[tuple[int, _Incoming]], items: Mapping[Key, Item], wants_neighbourhood: bool
    ) -> dict[int, Placed]:
        """Insert what can be, until others have changed something; return that."""
        pages: dict[Key, SeenPage] = {}
        done: dict[int, Placed] = {}
        batch = _Batch()

        def flush() -> bool:
            nonlocal batch
            actions = [*batch.puts, *self._page_writes(batch)]
            if actions and not self._table.write(actions):
                return False
            pages.update({key: replace(seen, version=seen.version + 1) for key, seen in batch.pages.items()})
            done.update(batch.placed)
            batch = _Batch()
            return True

        def page_of(key: Key) -> SeenPage:
            if key not in pages and key not in batch.pages:
                pages[key] = SeenPage.of(items.get(key))
            return batch.pages.get(key) or pages[key]

        inserted: dict[str, Placed] = {}
        for at, one in incoming:
            transaction = one.transaction
            keys = self._keys.pages(transaction)
            item = items.get(self._keys.transaction(transaction.id))
            actions = len(batch.puts) + len(batch.pages) + 1 + 2 * len(keys)
            too_many = actions > MOST_ACTIONS or len(batch.placed) >= self._most_at_once
            if too_many and not flush():
                return done
            neighbourhood: dict[str, EntityHistory] = {}
            if wants_neighbourhood:
                for relation, key in keys.items():
                    history = page_of(key).page.as_of(transaction.order, self._neighbours)
                    if history is None:
                        if not flush():  # what is older must be in the table to be read there
                            return done
                        history = self._history(key, page_of(key).page, transaction)
                    neighbourhood[relation] = history
            if transaction.id in inserted:
                batch.placed[at] = replace(inserted[transaction.id], neighbourhood=neighbourhood, new=False)
                continue
            if item is not None and self._in_graph(item):
                batch.placed[at] = Placed(stored_of(item), neighbourhood, new=False)
                continue
            stored = StoredTransaction(transaction, one.vector(neighbourhood), one.label)
            if item is None:
                if one.deciding is not None:
                    answer = one.deciding(Placed(stored, neighbourhood, new=True))
                    stored = replace(stored, decision=answer)
                batch.puts.append(self._new({**self._item(stored), **one.arrival}))
            else:
                stored = replace(stored_of(item), vector=stored.vector)
                batch.puts.append(self._join_graph(item, stored.vector))
            as_neighbour = Neighbour(transaction.id, transaction.time, stored.vector, stored.label)
            for key in keys.values():
                seen = page_of(key)
                page, gone = seen.page.with_transaction(as_neighbour, self._neighbours + SPARE)
                batch.pages[key] = SeenPage(page, seen.version)
                if gone is not None:
                    batch.puts.append(self._put(older_item(older_key(key, gone), gone)))
            batch.placed[at] = inserted[transaction.id] = Placed(stored, neighbourhood, new=item is None)
        flush()
        return done

    def _relabel_entities(self, stored: StoredTransaction, label: Label, batch: _Batch) -> None:
        transaction = stored.transaction
        keys = self._keys.pages(transaction)
        items = self._table.read(keys.values())
        labelled = Neighbour(transaction.id, transaction.time, stored.vector, label)
        for key in keys.values():
            seen = SeenPage.of(items.get(key))
            if not seen.page.has(transaction.id):
                batch.puts.append(self._put(older_item(older_key(key, labelled), labelled)))
            batch.pages[key] = SeenPage(
                self._relabelled(key, seen.page, stored, labelled, label), seen.version
            )

    def _relabelled(
        self, key: Key, page: EntityPage, stored: StoredTransaction, labelled: Neighbour, label: Label
    ) -> EntityPage:
        if stored.label is None or page.has(labelled.id):
            return page.with_label(labelled.id, labelled.time, label)
        older = [labelled if one.id == labelled.id else one for one in self._table.older(key)]
        return page.recounted(older)

    def _label_write(self, key: Key, item: Item, label: Label, reported_at: str | None) -> Item:
        changes = "SET label = :label"
        values: Item = {":label": {"S": label_to_json(label)}}
        if reported_at is not None and ARRIVED not in item:
            id_ = key[0].split("#", 2)[2]
            arrival = self._keys.arrival(id_, reported_at)
            changes += f", {SHELF} = :shelf, {ARRIVED} = :arrived"
            values |= {":shelf": arrival[SHELF], ":arrived": arrival[ARRIVED]}
        condition = "attribute_exists(pk) AND attribute_not_exists(label)"
        if "label" in item:
            condition = "label = :seen"
            values[":seen"] = item["label"]
        return {
            "Update": {
                "TableName": self._table.table,
                "Key": key_item(key),
                "UpdateExpression": changes,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def _page_writes(self, batch: _Batch) -> Iterator[Item]:
        for key, seen in batch.pages.items():
            put: Item = {
                "TableName": self._table.table,
                "Item": {
                    **key_item(key),
                    "page": {"B": seen.page.to_bytes()},
                    "version": {"N": str(seen.version + 1)},
                },
                "ConditionExpression": "attribute_not_exists(pk)",
            }
            if seen.version:
                put["ConditionExpression"] = "version = :seen"
                put["ExpressionAttributeValues"] = {":seen": {"N": str(seen.version)}}
            yield {"Put": put}

    def _in_graph(self, item: Item) -> bool:
        return bool(item["graph"]["S"] == self._keys.schema)

    def _item(self, stored: StoredTransaction) -> Item:
        key = self._keys.transaction(stored.transaction.id)
        return transaction_item(key, stored, self._keys.schema)

    def _join_graph(self, item: Item, vector: Vector) -> Item:
        """Return the write that brings a transaction of an earlier schema's graph into this one."""
        return {
            "Update": {
                "TableName": self._table.table,
                "Key": {"pk": item["pk"], "sk": item["sk"]},
                "UpdateExpression": "SET graph = :graph, vector = :vector",
                "ConditionExpression": "graph = :seen",
                "ExpressionAttributeValues": {
                    ":graph": {"S": self._keys.schema},
                    ":vector": {"B": packed(vector)},
                    ":seen": item["graph"],
                },
            }
        }

    def _new(self, item: Item) -> Item:
        return {
            "Put": {
                "TableName": self._table.table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def _put(self, item: Item) -> Item:
        return {"Put": {"TableName": self._table.table, "Item": item}}

    def _history(self, key: Key, page: EntityPage, target: Transaction) -> EntityHistory:
        history = page.as_of(target.order, self._neighbours)
        if history is not None:
            return history
        everything = {one.id: one for one in (*self._table.older(key), *page.latest)}
        earlier = sorted(
            (one for one in everything.values() if (one.time, one.id) < target.order),
            key=lambda one: (one.time, one.id),
        )
        return history_of(earlier, target.time, self._neighbours)

    def _arrivals(
        self, limit: int, *, newest_first: bool, after: str | None, bounds: tuple[str, str]
    ) -> list[tuple[str, str]]:
        found = self._table.for_each(
            lambda shelf: self._table.arrived(
                shelf, limit, newest_first=newest_first, after=after, bounds=bounds
            ),
            self._keys.shelves(),
        )
        return sorted((place for places in found for place in places), reverse=newest_first)[:limit]

    def _read_live(self, places: Sequence[tuple[str, str]]) -> list[tuple[str, LiveTransaction | None]]:
        keys = [(pk, self._keys.transaction("")[1]) for _, pk in places]
        items = self._table.read(keys)
        return [
            (place, live_of(items[key]) if key in items else None)
            for (place, _), key in zip(places, keys, strict=True)
        ]
