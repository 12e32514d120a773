"""Which store has a workload's graph."""

from __future__ import annotations

from lambdas.adapters import clients
from lambdas.fraud.dynamo_store import DynamoTransactionStore
from lambdas.fraud.store import TransactionStore
from watchkeeper.fraud.plan import FraudPlan

INSERTING = ("BatchGetItem", "ConditionCheckItem", "GetItem", "PutItem", "Query", "UpdateItem")
"""What a role does with the table that reads, inserts and labels."""


def store_of(plan: FraudPlan, *, table: str) -> TransactionStore:
    """Return the workload's store.

    Parameters
    ----------
    table
        Of those that are in DynamoDB.
    """
    return DynamoTransactionStore(clients.dynamodb(), table, plan)
