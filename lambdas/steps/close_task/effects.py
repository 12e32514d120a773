"""What `close_task` reads and changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.errors import code_of, translated
from lambdas.steps.close_task.ended_execution import EndedExecution
from lambdas.steps.close_task.environment import CloseTaskEnvironment
from watchkeeper.service.failures import Failure
from watchkeeper.service.request_item import OPEN, Status, item_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_stepfunctions import SFNClient


class Executions(Protocol):
    """Executions of the workflows."""

    def describe(self, arn: str) -> EndedExecution:
        """Return what Step Functions knows of an execution."""


class OpenRequests(Protocol):
    """Requests that are not finished."""

    def fail(self, tenant: str, request: str, failure: Failure, at: str) -> bool:
        """Make a request that is open a failed one; tell whether it was open."""


@dataclass(frozen=True)
class StepFunctionsExecutions:
    """`Executions` in Step Functions."""

    client: SFNClient

    def describe(self, arn: str) -> EndedExecution:
        """Return what Step Functions knows of an execution."""
        with translated(f"describe {arn}"):
            answer: Any = self.client.describe_execution(executionArn=arn)
        return EndedExecution.of_detail(answer)


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
            executions=StepFunctionsExecutions(aws_clients.stepfunctions()),
            requests=TableOpenRequests(aws_clients.dynamodb(), environment.requests_table),
        )
