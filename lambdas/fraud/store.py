"""What the graph of a workload is asked by the API and by the steps that load and export it.

Beyond `watchkeeper.fraud.history.GraphStore`: reading a neighbourhood, computing the vector and inserting are
one call, so that a transaction is scored with the very neighbourhood that it was inserted into, however many
come at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from watchkeeper.fraud.history import Decision, GraphStore, Label, Neighbourhood, StoredTransaction, Vector
from watchkeeper.fraud.transaction import Transaction

Features = Callable[[Transaction, Neighbourhood], Vector]
"""Computes the vector of a transaction as-of its time."""


@dataclass(frozen=True)
class Arrival:
    """A transaction that came through the API."""

    transaction: Transaction
    fields: Mapping[str, Any]
    """What was sent, by the plan's names."""
    arrived_at: str
    """ISO 8601 with microseconds, UTC."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A transaction that is in the graph now."""

    stored: StoredTransaction
    neighbourhood: Neighbourhood
    """As-of its time."""
    new: bool
    """Whether it was not there before."""


Deciding = Callable[[Placed], Decision | None]
"""Answers a transaction that is about to be inserted; None where nothing can."""


@dataclass(frozen=True)
class Loaded:
    """What became of transactions of the history."""

    new: int = 0
    known: int = 0
    """Were there before, and stayed as they were."""
    labelled: int = 0
    """Those of them that had no label."""

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(self.new + other.new, self.known + other.known, self.labelled + other.labelled)


@dataclass(frozen=True, eq=False)
class LiveTransaction:
    """A transaction that came through the API, or whose label did."""

    stored: StoredTransaction
    arrived_at: str
    fields: Mapping[str, Any] | None
    """What was sent; None of one that was loaded from the history."""


@dataclass(frozen=True)
class Filter:
    """Which transactions are listed; None does not matter."""

    flag: bool | None = None
    label: str | None = None
    """`fraud`, `legitimate` or `unknown`."""
    since: str | None = None
    """Arrived at this time or later: ISO 8601, UTC."""
    until: str | None = None
    """Arrived before this time."""

    def takes(self, stored: StoredTransaction) -> bool:
        """Whether flag and label of a transaction are those that are asked for."""
        flag = stored.decision is not None and stored.decision.flag
        return self.flag in (None, flag) and self.label in (None, label_name(stored.label))


@dataclass(frozen=True)
class Listing:
    """Some transactions, and where the following ones begin; None after the last."""

    found: list[LiveTransaction] = field(default_factory=list)
    following: str | None = None


class TransactionStore(GraphStore, Protocol):
    """The graph of one workload."""

    def place(
        self, arrivals: Sequence[Arrival], features: Features, deciding: Deciding | None = None
    ) -> list[Placed]:
        """Insert transactions in the order of their times, each with its vector; later ones see earlier ones.

        Parameters
        ----------
        deciding
            Gives the answers that are inserted with the transactions; without it they have none yet.

        Returns
        -------
        list of Placed
            In the order of the arrivals. A transaction that is there already is not inserted again.

        Raises
        ------
        ConflictError
            If one is there with other content, or twice among the arrivals; none of these is inserted.
        UnavailableError
            If others changed the same entities too often meanwhile; some may be inserted: the same call
            again inserts the rest.
        """

    def load(self, history: Sequence[StoredTransaction]) -> Loaded:
        """Insert transactions of the history, with the vectors and labels that they have.

        One that is there stays as it is, and takes the label if it has none. After a crash the same call
        finishes.
        """

    def label(self, id_: str, label: Label, reported_at: str | None = None) -> bool:
        """See `GraphStore`.

        Parameters
        ----------
        reported_at
            When it came through the API, ISO 8601 with microseconds: an export has the transaction then.
        """

    def keep_answer(self, id_: str, decision: Decision) -> Decision:
        """Keep the answer of a transaction and return the one that is kept: the first."""

    def listed(self, wanted: Filter, limit: int, start: str | None) -> Listing:
        """Return transactions that came through the API, or whose label did: the last to come first."""

    def live(self, cursor: str | None, limit: int) -> tuple[list[LiveTransaction], str | None]:
        """Return the same in the order of their coming, for an export.

        Returns
        -------
        found, cursor
            Where the following ones begin; None after the last.
        """

    def empty(self) -> int:
        """Delete everything of the workload, and return how many items that were; again if it was cut off."""


def label_name(label: Label | None) -> Literal["fraud", "legitimate", "unknown"]:
    """Return what a label is called in requests and answers."""
    if label is None:
        return "unknown"
    return "fraud" if label.fraud else "legitimate"


def transaction_to_json(transaction: Transaction) -> str:
    """Return a transaction as JSON."""
    return json.dumps(
        {**asdict(transaction), "entities": dict(transaction.entities)}, separators=(",", ":"), sort_keys=True
    )


def transaction_from_json(text: str) -> Transaction:
    """Read what `transaction_to_json` wrote."""
    read = json.loads(text)
    return Transaction(
        read["id"],
        read["time"],
        read["amount"],
        tuple(read["numeric"]),
        tuple(read["categorical"]),
        read["entities"],
    )


def decision_to_json(decision: Decision) -> str:
    """Return a decision as JSON."""
    return json.dumps(asdict(decision), separators=(",", ":"), sort_keys=True)


def decision_from_json(text: str) -> Decision:
    """Read what `decision_to_json` wrote."""
    read = json.loads(text)
    return Decision(**{**read, "reasons": tuple(read["reasons"])})
