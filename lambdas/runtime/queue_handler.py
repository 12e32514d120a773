"""A function that reads a queue: single messages of a batch may fail, a key is done once, and what failed
comes again: soon at first, then ever later.

A queue that Lambda polls hides a message for six times the function's time limit. In a FIFO queue the rest of
the message's group waits for it, so a passing fault would hold a workload up for minutes. For a worker that
dies, `lambdas.runtime.holding` does the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.adapters import clients
from lambdas.runtime.holding import HELD_SECONDS, held, queue_of, queue_url
from lambdas.runtime.typed_environment import TypedEnvironment

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


QueueHandler = Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]


def queue_handler(
    handle_message: Callable[..., None], environment: type[TypedEnvironment], *, ordered: bool = False
) -> QueueHandler:
    """Return the entry point for batches of SQS messages; those that failed come again soon.

    Parameters
    ----------
    handle_message
        Takes an `SQSRecord` and, where it names it so, the `lambda_context`.
    ordered
        Whether the queue is FIFO: after a failure the rest of its group fails too, and comes again in order.
    """
    logger, tracer = Logger(service=environment.service), Tracer(service=environment.service)
    processor = (
        SqsFifoPartialProcessor(skip_group_on_error=True, logger=logger)  # type: ignore[arg-type]  # Powertools' logger has the methods of the standard one
        if ordered
        else BatchProcessor(event_type=EventType.SQS, logger=logger)  # type: ignore[arg-type]  # likewise
    )
    processor.raise_on_entire_batch_failure = False

    @logger.inject_lambda_context
    @tracer.capture_lambda_handler(capture_response=False)
    def handle(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        with held(event["Records"], clients.sqs, logger):
            response = process_partial_response(event, handle_message, processor, context)
        return bring_again_soon(event, response, clients.sqs, logger)

    entry_point: QueueHandler = handle
    return entry_point


def batch_handler(
    handle_batch: Callable[[Sequence[SQSRecord]], Collection[str]], environment: type[TypedEnvironment]
) -> QueueHandler:
    """Return the entry point for batches whose messages are handled together; those that failed come again.

    Parameters
    ----------
    handle_batch
        Takes the records and returns the message ids of those that failed.
    """
    logger, tracer = Logger(service=environment.service), Tracer(service=environment.service)

    @logger.inject_lambda_context
    @tracer.capture_lambda_handler(capture_response=False)
    def handle(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        with held(event["Records"], clients.sqs, logger):
            failed = handle_batch([SQSRecord(record) for record in event["Records"]])
        response: PartialItemFailureResponse = {
            "batchItemFailures": [{"itemIdentifier": each} for each in sorted(failed)]
        }
        return bring_again_soon(event, response, clients.sqs, logger)

    entry_point: QueueHandler = handle
    return entry_point


LEASE_SECONDS = HELD_SECONDS - 5
"""Shorter than a message of a dead worker is hidden: its second delivery finds the key free."""


@dataclass(frozen=True)
class _Lease:
    context: LambdaContext

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the key is held, as Powertools asks a context."""
        return min(self.context.get_remaining_time_in_millis(), LEASE_SECONDS * 1000)


EXPIRES_AFTER_SECONDS = 21 * 86_400
"""Longer than a message can stay in a queue and then in its dead-letter queue."""


def once(table: str, key: str, context: LambdaContext, action: Callable[[], None]) -> None:
    """Call the action unless it was completed for this key before.

    Powertools holds the key while the action runs; a second delivery then fails, and comes again. Its hold
    ends before a message of a dead worker comes again: from then on the heartbeat of `held` keeps a second
    delivery away, and the record says no more than whether the action was completed.
    """
    config = IdempotencyConfig(
        expires_after_seconds=EXPIRES_AFTER_SECONDS, lambda_context=cast("LambdaContext", _Lease(context))
    )

    def act(*, key: str) -> None:
        action()

    idempotent_function(act, data_keyword_argument="key", persistence_store=_layer(table), config=config)(
        key=key
    )


@functools.cache
def _layer(table: str) -> DynamoDBPersistenceLayer:
    return DynamoDBPersistenceLayer(table_name=table, boto3_client=clients.dynamodb())


FIRST_SECONDS = 15
GROWTH = 4
LONGEST_SECONDS = 900


def seconds_until_again(receive_count: int) -> int:
    """Return how long a message is hidden after its n-th failure: 15 s, 1 min, 4 min, then 15 min."""
    return int(min(LONGEST_SECONDS, FIRST_SECONDS * GROWTH ** (max(receive_count, 1) - 1)))


def bring_again_soon(
    event: Mapping[str, Any],
    response: PartialItemFailureResponse,
    client: Callable[[], SQSClient],
    logger: Logger,
) -> PartialItemFailureResponse:
    """Shorten the time until the failed messages of a batch come again; return the response as it is.

    If the queue cannot be told, they come again after its own time, so this only logs.
    """
    failed = {item["itemIdentifier"] for item in response["batchItemFailures"]}
    records = [record for record in event["Records"] if record["messageId"] in failed]
    if records:
        try:
            _shorten(records, client())
        except (BotoCoreError, ClientError):
            logger.warning("the failed messages come again only after the queue's own time", exc_info=True)
    return response


def _shorten(records: Sequence[Mapping[str, Any]], client: SQSClient) -> None:
    url = queue_url(client, queue_of(records))
    for record in records:
        received = int(record["attributes"]["ApproximateReceiveCount"])
        client.change_message_visibility(
            QueueUrl=url,
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=seconds_until_again(received),
        )
