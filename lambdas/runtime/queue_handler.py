"""The Lambda entry point of a function that reads a queue: batches of which single messages may fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.runtime.redelivery import bring_again_soon
from lambdas.runtime.typed_environment import TypedEnvironment

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
        response = process_partial_response(event, handle_message, processor, context)
        return bring_again_soon(event, response, clients.sqs, logger)

    entry_point: QueueHandler = handle
    return entry_point
