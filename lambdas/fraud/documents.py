"""Answers of the fraud API, and the body of a label, as the OpenAPI document publishes them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from lambdas.fraud.simulations import Simulation
from lambdas.fraud.store import LiveTransaction, label_name
from watchkeeper.core.timestamps import format_instant
from watchkeeper.fraud.history import Decision, Label, StoredTransaction

MAX_BY_LENGTH = 64
MAX_RATE, MAX_SIMULATED_SECONDS = 20.0, 4 * 3600
"""Of a simulation; Lambda ends a function after 900 seconds."""


class Reason(BaseModel):
    """What one relation adds to the probability."""

    model_config = ConfigDict(extra="forbid")

    relation: str
    entity: str = Field(description="Key of the entity that the transaction shares with the earlier ones.")
    contribution: float = Field(
        description="What the entity's history adds to the log-odds of fraud; negative speaks against it."
    )
    transactions: list[str] = Field(
        description="Earlier transactions of the entity: those that moved the score, then frauds."
    )


class Answer(BaseModel):
    """Whether a transaction is fraud."""

    model_config = ConfigDict(extra="forbid")

    id: str
    flag: bool = Field(description="Whether the probability reaches the threshold.")
    pred_prob: float = Field(ge=0, le=1, description="Probability of fraud.")
    threshold: float
    reasons: list[Reason] = Field(description="The one that adds most first.")
    model_version: str = Field(description="The training run of the model.")

    @classmethod
    def of(cls, id_: str, decision: Decision) -> Answer:
        """Return the document of a decision."""
        return cls(
            id=id_,
            flag=decision.flag,
            pred_prob=decision.pred_prob,
            threshold=decision.threshold,
            reasons=[Reason(**reason) for reason in decision.reasons],
            model_version=decision.model_version,
        )


class LabelDocument(BaseModel):
    """What was found out about a transaction."""

    model_config = ConfigDict(extra="forbid")

    fraud: bool
    known_at: str = Field(description="ISO 8601, UTC.")
    by: str

    @classmethod
    def of(cls, label: Label) -> LabelDocument:
        """Return the document of a label."""
        return cls(fraud=label.fraud, known_at=format_instant(int(label.known_at)), by=label.by)


class TransactionDocument(BaseModel):
    """What is kept of a transaction."""

    model_config = ConfigDict(extra="forbid")

    id: str
    time: str = Field(description="ISO 8601, UTC.")
    amount: float
    entities: dict[str, str] = Field(description="Key of the entity by relation.")
    label: LabelDocument | None = None
    answer: Answer | None = Field(
        default=None, description="None of one that was loaded with the history, or was not answered yet."
    )

    @classmethod
    def of(cls, stored: StoredTransaction) -> TransactionDocument:
        """Return the document of a transaction."""
        transaction, label = stored.transaction, stored.label
        return cls(
            id=transaction.id,
            time=format_instant(int(transaction.time)),
            amount=transaction.amount,
            entities=dict(transaction.entities),
            label=None if label is None else LabelDocument.of(label),
            answer=None if stored.decision is None else Answer.of(transaction.id, stored.decision),
        )


class ListedTransaction(BaseModel):
    """A transaction in a list."""

    model_config = ConfigDict(extra="forbid")

    id: str
    time: str = Field(description="ISO 8601, UTC.")
    arrived_at: str = Field(description="When it, or its label, came through the API: ISO 8601, UTC.")
    amount: float
    label: Literal["fraud", "legitimate", "unknown"]
    flag: bool | None = Field(description="None while there is no answer, as of all below.")
    pred_prob: float | None
    model_version: str | None

    @classmethod
    def of(cls, live: LiveTransaction) -> ListedTransaction:
        """Return the line of a transaction."""
        stored, decision = live.stored, live.stored.decision
        line: dict[str, Any] = {
            "id": stored.transaction.id,
            "time": format_instant(int(stored.transaction.time)),
            "arrived_at": live.arrived_at,
            "amount": stored.transaction.amount,
            "label": label_name(stored.label),
            "flag": decision and decision.flag,
            "pred_prob": decision and decision.pred_prob,
            "model_version": decision and decision.model_version,
        }
        return cls(**line)


class TransactionPage(BaseModel):
    """Transactions, the last to arrive first."""

    model_config = ConfigDict(extra="forbid")

    transactions: list[ListedTransaction]
    next_page_token: str | None = Field(description="For the following ones; null after the last.")


class Minute(BaseModel):
    """Transactions that came in a minute."""

    model_config = ConfigDict(extra="forbid")

    start: str = Field(description="ISO 8601, UTC.")
    count: int
    amount: float
    flagged: int
    flagged_amount: float


class Summary(BaseModel):
    """How many transactions came, by the minute."""

    model_config = ConfigDict(extra="forbid")

    minutes: list[Minute] = Field(description="In the order of time; a minute without any is not there.")
    complete: bool = Field(description="Whether all of the time is counted; else the last of it.")
    counted_from: str = Field(description="ISO 8601, UTC: none before is counted.")


class Node(BaseModel):
    """A transaction, or an entity that transactions share."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)

    id: str
    kind: str = Field(description="`transaction`, or the relation of an entity.")
    name: str = Field(description="Id of a transaction, key of an entity.")
    time: str | None = Field(default=None, description="Of a transaction: ISO 8601, UTC.")
    amount: float | None = None
    label: Literal["fraud", "legitimate", "unknown"] | None = None
    flag: bool | None = Field(default=None, description="Null of an entity, and of one without an answer.")
    pred_prob: float | None = None
    transactions: int | None = Field(
        default=None, description="Of an entity of the centre: its earlier ones."
    )
    frauds: int | None = Field(default=None, description="Those of them that are known to be fraud.")


class Edge(BaseModel):
    """A transaction has an entity."""

    model_config = ConfigDict(extra="forbid")

    transaction: str
    entity: str


class Graph(BaseModel):
    """A transaction with what is around it."""

    model_config = ConfigDict(extra="forbid")

    centre: str = Field(description="Id of the transaction.")
    nodes: list[Node]
    edges: list[Edge]
    more: bool = Field(description="Whether there are earlier transactions that are not here.")


class SimulatorBody(BaseModel):
    """Start a simulation."""

    model_config = ConfigDict(extra="forbid")

    rate: float = Field(5.0, gt=0, le=MAX_RATE, description="Transactions a second.")
    fraud_share: float = Field(0.02, ge=0, le=0.2, description="About this share of them is fraud.")
    seconds: int = Field(300, ge=10, le=MAX_SIMULATED_SECONDS, description="When it ends by itself.")


class Simulator(BaseModel):
    """The last simulation of a workload."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)

    state: Literal["never", "running", "stopped", "ended", "failed"]
    rate: float | None = None
    fraud_share: float | None = None
    started_at: str | None = Field(default=None, description="ISO 8601, UTC.")
    until: str | None = Field(default=None, description="When it ends by itself: ISO 8601, UTC.")
    sent: int = 0
    flagged: int = 0
    error: str | None = Field(default=None, description="Why it failed.")

    @classmethod
    def of(cls, found: Simulation | None, now: float) -> Simulator:
        """Return the document of a simulation."""
        if found is None:
            return cls(state="never")
        ended: Literal["failed", "stopped", "ended"]
        ended = "failed" if found.error else "stopped" if found.stopped else "ended"
        return cls(
            state="running" if found.is_running(now) else ended,
            rate=found.rate,
            fraud_share=found.fraud_share,
            started_at=format_instant(found.started_at),
            until=format_instant(found.until),
            sent=found.sent,
            flagged=found.flagged,
            error=found.error,
        )


class LabelBody(BaseModel):
    """A label."""

    model_config = ConfigDict(extra="forbid")

    fraud: StrictBool = Field(description="Whether the transaction was fraud.")
    by: str = Field(min_length=1, max_length=MAX_BY_LENGTH, description="Who found it out.")


class LabelTaken(BaseModel):
    """What became of a label."""

    model_config = ConfigDict(extra="forbid")

    id: str
    label: LabelDocument
    changed: bool = Field(description="Whether it was not known before.")
