"""A fraud workload and its graph in a test."""

from __future__ import annotations

from typing import Any

import numpy as np

from lambdas.adapters import clients
from lambdas.fraud.transaction_index import ARRIVED, BY_ARRIVAL, SHELF
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.fraud.history import Label, StoredTransaction, Vector
from watchkeeper.fraud.plan import FraudPlan, LabelPlan, RelationPlan
from watchkeeper.fraud.transaction import Transaction

WORKLOAD = "card_fraud"
TABLE = "transactions"
NEIGHBOURS = 3
PLAN = FraudPlan(
    workload=WORKLOAD,
    id_field="id",
    timestamp=TimestampPlan("at", "epoch_seconds"),
    amount_field="amount",
    label=LabelPlan("fraud"),
    relations=(RelationPlan("card", ("card",)), RelationPlan("device", ("device",))),
    numeric=("distance",),
    categorical=("product",),
    neighbours=NEIGHBOURS,
    readers=("acme",),
)


def transaction(number: int, time: float | None = None, **entities: str) -> Transaction:
    """Return a transaction, a second after that of the number before."""
    return Transaction(
        f"t{number:03d}",
        float(number) if time is None else time,
        10.0 + number,
        (float(number),),
        ("web",),
        entities or {"card": "c1", "device": "d1"},
    )


def vector(number: int) -> Vector:
    """Return a vector that tells whose it is."""
    return np.array([number, 0.5, np.nan], np.float32)


def stored(
    number: int, time: float | None = None, label: Label | None = None, **entities: str
) -> StoredTransaction:
    """Return the transaction with its vector."""
    return StoredTransaction(transaction(number, time, **entities), vector(number), label)


def create_table(client: Any = None, name: str = TABLE) -> None:
    """Make the table of graphs."""
    (client or clients.dynamodb()).create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", SHELF, ARRIVED)
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": BY_ARRIVAL,
                "KeySchema": [
                    {"AttributeName": SHELF, "KeyType": "HASH"},
                    {"AttributeName": ARRIVED, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
