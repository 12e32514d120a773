"""An execution that was stopped, timed out or failed: its request must not stay open.

The workflows catch no failure: whatever ends one badly, from inside or outside, comes here by
EventBridge.

Permissions
-----------
- `dynamodb:UpdateItem` on the requests table
- `states:DescribeExecution` on the executions of the three state machines
- `sqs:ReceiveMessage`, `sqs:DeleteMessage`, `sqs:ChangeMessageVisibility`, … on its queue
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the key of the table
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import ClientError

from lambdas.adapters import clients
from lambdas.adapters.errors import code_of, translated
from lambdas.adapters.executions import StepFunctionsExecutions
from lambdas.runtime.queue_handler import queue_handler
from lambdas.runtime.typed_environment import TypedEnvironment
from lambdas.steps.ended_execution import EndedExecution
from watchkeeper.service.failures import Failure
from watchkeeper.service.request_item import OPEN, Status, item_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, kw_only=True)
class CloseTaskEnvironment(TypedEnvironment):
    """What `close_task` is told when it is deployed."""

    service: ClassVar[str] = "close_task"

    requests_table: str


logger = Logger(service=CloseTaskEnvironment.service)


class Executions(Protocol):
    """Executions of the workflows."""

    def describe(self, arn: str) -> dict[str, Any]:
        """Return what Step Functions knows of an execution."""


class OpenRequests(Protocol):
    """Requests that are not finished."""

    def fail(self, tenant: str, request: str, failure: Failure, at: str) -> bool:
        """Make a request that is open a failed one; tell whether it was open."""


@dataclass(frozen=True)
class TableOpenRequests:
    """`OpenRequests` in DynamoDB."""

    client: DynamoDBClient
    table: str

    def fail(self, tenant: str, request: str, failure: Failure, at: str) -> bool:
        """Make a request that is open a failed one; tell whether it was open."""
        change = {"M": {"status": {"S": Status.FAILED.value}, "at": {"S": at}}}
        with translated(f"close request {request}"):
            try:
                self.client.update_item(
                    TableName=self.table,
                    Key={name: {"S": value} for name, value in item_key(tenant, request).items()},
                    UpdateExpression=(
                        "SET #status = :failed, #error = :error, updated_at = :at, "
                        "history = list_append(history, :change) REMOVE progress"
                    ),
                    ConditionExpression="#status IN (:queued, :running)",
                    ExpressionAttributeNames={"#status": "status", "#error": "error"},
                    ExpressionAttributeValues={
                        **{f":{each.value}": {"S": each.value} for each in OPEN},
                        ":failed": {"S": Status.FAILED.value},
                        ":error": {"M": {"type": {"S": failure.type}, "message": {"S": failure.message}}},
                        ":at": {"S": at},
                        ":change": {"L": [change]},
                    },
                )
            except ClientError as error:
                if code_of(error) == "ConditionalCheckFailedException":
                    return False
                raise
        return True


@dataclass(frozen=True)
class ClosingEffects:
    """Everything outside of `close_task`."""

    executions: Executions
    requests: OpenRequests

    @classmethod
    def in_aws(cls, environment: CloseTaskEnvironment) -> ClosingEffects:
        """Return the effects in AWS."""
        return cls(
            executions=StepFunctionsExecutions(clients.stepfunctions()),
            requests=TableOpenRequests(clients.dynamodb(), environment.requests_table),
        )


@functools.cache
def closing_effects() -> ClosingEffects:
    """Return the effects of this process."""
    return ClosingEffects.in_aws(CloseTaskEnvironment.from_environ())


def handle_message(record: SQSRecord) -> None:
    """Close the request of one execution."""
    close(record.body, closing_effects())


def close(body: str, effects: ClosingEffects) -> bool:
    """Make the request of an ended execution a failed one, unless it is finished; tell whether it was open.

    Raises
    ------
    ContractViolationError
        If the text is not a status change of a task's execution.
    """
    ended = EndedExecution.of_event(body)
    if not ended.complete:
        ended = EndedExecution.of_detail(effects.executions.describe(ended.arn))
    task, failure = ended.task, ended.failure
    closed = effects.requests.fail(task.tenant, task.id, failure, at=json.loads(body)["time"])
    logger.info("closed" if closed else "was closed", extra={"request": task.id, "error_type": failure.type})
    return closed


handle = queue_handler(handle_message, CloseTaskEnvironment)
