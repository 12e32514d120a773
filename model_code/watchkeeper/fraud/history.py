"""What a graph store answers and keeps: the history of entities as-of a transaction, insertions, labels.

Earlier means smaller in the order of (time, id). A label counts from the time at which it is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.transaction import Transaction

Vector = NDArray[np.float32]
"""A transaction's features as of its own time, of shape (n_features,), raw: no model has scaled them."""


class ConflictError(InvalidInputError):
    """A transaction is sent again with other content."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="conflict")


class UnknownTransactionError(InvalidInputError):
    """No transaction has this id."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"no transaction has the id {id_!r}: send it first", reason="unknown_transaction")


@dataclass(frozen=True)
class Label:
    """What was found out about a transaction."""

    fraud: bool
    known_at: float
    """Epoch seconds."""
    by: str = "history"


@dataclass(frozen=True, eq=False)
class Neighbour:
    """An earlier transaction that shares an entity."""

    id: str
    time: float
    vector: Vector
    label: Label | None = None

    def label_at(self, time: float) -> int:
        """Return 1 for fraud and -1 for legitimate if that was known at a time, else 0."""
        if self.label is None or self.label.known_at > time:
            return 0
        return 1 if self.label.fraud else -1


@dataclass(frozen=True, eq=False)
class EntityHistory:
    """An entity's history as-of a transaction: an entity never seen has counts of 0 and no latest."""

    latest: tuple[Neighbour, ...] = ()
    """At most K earlier transactions, the latest first."""
    count: int = 0
    """Earlier transactions."""
    labelled: int = 0
    """Earlier transactions whose label is known at the target's time."""
    frauds: int = 0
    """Those of them that were fraud."""
    latest_fraud: float | None = None
    """Time of the latest of these frauds, epoch seconds."""


Neighbourhood = Mapping[str, EntityHistory]
"""History by relation, of the relations in which the transaction has an entity."""


@dataclass(frozen=True)
class Decision:
    """The answer that a transaction got."""

    pred_prob: float
    """Probability of fraud in [0, 1]."""
    flag: bool
    threshold: float
    model_version: str
    reasons: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, eq=False)
class StoredTransaction:
    """A transaction as a store keeps it."""

    transaction: Transaction
    vector: Vector
    label: Label | None = None
    decision: Decision | None = None


@dataclass(frozen=True, eq=False)
class Inserted:
    """The transaction is new, and in the graph now."""

    stored: StoredTransaction


@dataclass(frozen=True, eq=False)
class Known:
    """The same transaction was inserted before: what is kept of it, its answer included if it has one."""

    stored: StoredTransaction


class GraphStore(Protocol):
    """A home of the graph. Every method may be repeated: what was done is not done twice."""

    def neighbourhood(self, transaction: Transaction) -> dict[str, EntityHistory]:
        """Return the history of each entity of a transaction as-of its time, without itself."""

    def insert(self, stored: StoredTransaction) -> Inserted | Known:
        """Keep a transaction with its vector, entities and edges, all or nothing.

        Raises
        ------
        ConflictError
            If one with this id and other content is there.
        """

    def answer(self, id_: str, decision: Decision) -> None:
        """Keep the answer of a transaction; the first one stays.

        Raises
        ------
        UnknownTransactionError
            If it is not there.
        """

    def label(self, id_: str, label: Label) -> bool:
        """Keep a label and count it at the transaction's entities, once; another one replaces it.

        Returns
        -------
        bool
            Whether anything changed: the same verdict again does not.

        Raises
        ------
        UnknownTransactionError
            If the transaction is not there.
        """

    def get(self, id_: str) -> StoredTransaction | None:
        """Return what is kept of a transaction."""
