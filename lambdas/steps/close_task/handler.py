"""An execution that was stopped, timed out or failed: its request must not stay open.

The workflows catch no failure: whatever ends one badly, from inside or outside, comes here by
EventBridge.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients as aws_clients
from lambdas.runtime.redelivery import bring_again_soon
from lambdas.steps.close_task.effects import ClosingEffects
from lambdas.steps.close_task.ended_execution import EndedExecution
from lambdas.steps.close_task.environment import CloseTaskEnvironment

logger = Logger(service=CloseTaskEnvironment.service)
tracer = Tracer(service=CloseTaskEnvironment.service)
processor = BatchProcessor(
    event_type=EventType.SQS,
    raise_on_entire_batch_failure=False,
    logger=logger,  # type: ignore[arg-type]  # Powertools' logger has the methods of the standard one
)


@functools.cache
def effects() -> ClosingEffects:
    """Return the effects of this process."""
    return ClosingEffects.in_aws(CloseTaskEnvironment.from_environ())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Lambda entry point: a batch of SQS messages; those that failed come again."""
    response = process_partial_response(event, handle_message, processor, context)
    return bring_again_soon(event, response, aws_clients.sqs, logger)


def handle_message(record: SQSRecord) -> None:
    """Close the request of one execution."""
    close(record.body, effects())


def close(body: str, world: ClosingEffects) -> bool:
    """Make the request of an ended execution a failed one, unless it is finished; tell whether it was open.

    Raises
    ------
    ContractViolationError
        If the text is not a status change of a task's execution.
    """
    ended = EndedExecution.of_event(body)
    if not ended.complete:
        ended = world.executions.describe(ended.arn)
    task, failure = ended.task, ended.failure
    closed = world.requests.fail(task.tenant, task.id, failure, at=json.loads(body)["time"])
    logger.info("closed" if closed else "was closed", extra={"request": task.id, "error_type": failure.type})
    return closed
