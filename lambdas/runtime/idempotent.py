"""Doing something once for each key, with Powertools' records in the idempotency table."""

from __future__ import annotations

import functools
from collections.abc import Callable

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients

EXPIRES_AFTER_SECONDS = 21 * 86_400
"""Longer than a message can stay in a queue and then in its dead-letter queue."""


def once(table: str, key: str, context: LambdaContext, action: Callable[[], None]) -> None:
    """Call the action unless it was completed for this key before.

    Powertools holds the key while the action runs; a second delivery then fails, and comes again. A
    crashed function's hold ends when the function would have timed out.
    """
    config = IdempotencyConfig(expires_after_seconds=EXPIRES_AFTER_SECONDS, lambda_context=context)

    def act(*, key: str) -> None:
        action()

    idempotent_function(act, data_keyword_argument="key", persistence_store=_layer(table), config=config)(
        key=key
    )


@functools.cache
def _layer(table: str) -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(table_name=table, boto3_client=clients.dynamodb())
