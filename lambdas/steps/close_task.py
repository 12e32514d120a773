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

from lambdas.adapters import clients
from lambdas.adapters.errors import CONDITION_FAILED, unless
from lambdas.adapters.executions import StepFunctionsExecutions
from lambdas.runtime.queue_handler import queue_handler
from lambdas.runtime.typed_environment import TypedEnvironment
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.service.failures import ABORTED_TYPE, TIMED_OUT_TYPE, Failure, failure_of
from watchkeeper.service.request_item import OPEN, Status, item_key
from watchkeeper.service.tasks import TaskInput

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class EndedExecution:
    """What is known of an execution whose status is not `SUCCEEDED`."""

    arn: str
    status: str
    input: str | None
    """None where it was too long for the event."""
    error: str | None
    cause: str | None

    @classmethod
    def of_event(cls, body: str) -> EndedExecution:
        """Read a `Step Functions Execution Status Change`.

        Raises
        ------
        ContractViolationError
            If the text is not such an event.
        """
        try:
            return cls.of_detail(json.loads(body)["detail"])
        except (ValueError, KeyError, TypeError) as error:
            raise ContractViolationError(f"not a status change of an execution: {error!r}") from error

    @classmethod
    def of_detail(cls, detail: dict[str, Any]) -> EndedExecution:
        """Read the event's detail, or Step Functions' own description of the execution."""
        return cls(
            arn=detail["executionArn"],
            status=detail["status"],
            input=detail.get("input"),
            error=detail.get("error"),
            cause=detail.get("cause"),
        )

    @property
    def complete(self) -> bool:
        """Whether the input is there and, of a failure, its reason."""
        return bool(self.input) and (self.status != "FAILED" or bool(self.error or self.cause))

    @property
    def task(self) -> TaskInput:
        """The execution's input.

        Raises
        ------
        ContractViolationError
            If it is not that of a task.
        """
        return TaskInput.from_json(self.input or "")

    @property
    def failure(self) -> Failure:
        """Why it ended."""
        if self.status == "TIMED_OUT":
            return Failure(TIMED_OUT_TYPE, self.cause or "the task took longer than it may")
        if self.status == "ABORTED":
            return Failure(ABORTED_TYPE, self.cause or "the execution was stopped")
        return failure_of(self.error or "", self.cause or "")


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


@dataclass(frozen=True)
class TableOpenRequests:
    """Requests that are not finished."""

    client: DynamoDBClient
    table: str

    def fail(self, tenant: str, request: str, failure: Failure, at: str) -> bool:
        """Make a request that is open a failed one; tell whether it was open."""
        change = {"M": {"status": {"S": Status.FAILED.value}, "at": {"S": at}}}
        changed = unless(
            CONDITION_FAILED,
            f"close request {request}",
            lambda: self.client.update_item(
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
            ),
        )
        return changed is not None


@dataclass(frozen=True)
class ClosingEffects:
    """Everything outside of `close_task`."""

    executions: Executions
    requests: TableOpenRequests

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
