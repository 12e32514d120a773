"""A graph store in memory: what the others are held to, and the online side of the tests of parity."""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import replace

from watchkeeper.fraud.history import (
    ConflictError,
    Decision,
    EntityHistory,
    Inserted,
    Known,
    Label,
    Neighbour,
    StoredTransaction,
    UnknownTransactionError,
)
from watchkeeper.fraud.transaction import Transaction


class MemoryStore:
    """Keeps everything in dictionaries; exact for any order of arrival."""

    def __init__(self, neighbours: int) -> None:
        self._neighbours = neighbours
        self._stored: dict[str, StoredTransaction] = {}
        self._edges: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)

    def neighbourhood(self, transaction: Transaction) -> dict[str, EntityHistory]:
        """See `GraphStore`."""
        return {
            relation: self._history(self._edges.get((relation, entity), []), transaction)
            for relation, entity in transaction.entities.items()
        }

    def insert(self, stored: StoredTransaction) -> Inserted | Known:
        """See `GraphStore`."""
        transaction = stored.transaction
        found = self._stored.get(transaction.id)
        if found is not None:
            if found.transaction.digest != transaction.digest:
                raise ConflictError(
                    f"transaction {transaction.id!r} was sent before with other content: an id is given once"
                )
            return Known(found)
        self._stored[transaction.id] = stored
        for key in transaction.entities.items():
            bisect.insort(self._edges[key], transaction.order)
        return Inserted(stored)

    def answer(self, id_: str, decision: Decision) -> None:
        """See `GraphStore`."""
        stored = self._must_have(id_)
        if stored.decision is None:
            self._stored[id_] = replace(stored, decision=decision)

    def label(self, id_: str, label: Label) -> bool:
        """See `GraphStore`."""
        stored = self._must_have(id_)
        if stored.label is not None and stored.label.fraud == label.fraud:
            return False
        self._stored[id_] = replace(stored, label=label)
        return True

    def get(self, id_: str) -> StoredTransaction | None:
        """See `GraphStore`."""
        return self._stored.get(id_)

    def _must_have(self, id_: str) -> StoredTransaction:
        if id_ not in self._stored:
            raise UnknownTransactionError(id_)
        return self._stored[id_]

    def _history(self, edges: list[tuple[float, str]], target: Transaction) -> EntityHistory:
        earlier = [
            self._neighbour(self._stored[id_]) for _, id_ in edges[: bisect.bisect_left(edges, target.order)]
        ]
        known = [one.label_at(target.time) for one in earlier]
        frauds = [one.time for one, label in zip(earlier, known, strict=True) if label > 0]
        return EntityHistory(
            latest=tuple(reversed(earlier[-self._neighbours :])),
            count=len(earlier),
            labelled=sum(map(abs, known)),
            frauds=len(frauds),
            latest_fraud=max(frauds, default=None),
        )

    @staticmethod
    def _neighbour(stored: StoredTransaction) -> Neighbour:
        transaction = stored.transaction
        return Neighbour(transaction.id, transaction.time, stored.vector, stored.label)
