"""The workflows behind the tasks: started once a request, by the name of the execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from lambdas.adapters.errors import code_of, translated
from watchkeeper.service.tasks import Task, execution_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class Workflows(Protocol):
    """The state machines of the tasks."""

    def execution_arn(self, task: Task, request: str) -> str:
        """Return the ARN that the execution of a request has, started or not."""

    def start(self, task: Task, request: str, document: str) -> None:
        """Start the execution of a request with its input, unless it was started before."""


@dataclass(frozen=True)
class StepFunctionsWorkflows:
    """`Workflows` in Step Functions.

    Parameters
    ----------
    state_machines
        ARN by task.
    """

    client: SFNClient
    state_machines: Mapping[Task, str]

    def execution_arn(self, task: Task, request: str) -> str:
        """Return the ARN that the execution of a request has."""
        machine = self.state_machines[task].replace(":stateMachine:", ":execution:", 1)
        return f"{machine}:{execution_name(task, request)}"

    def start(self, task: Task, request: str, document: str) -> None:
        """Start the execution of a request, unless it was started before."""
        with translated(f"start {execution_name(task, request)}"):
            try:
                self.client.start_execution(
                    stateMachineArn=self.state_machines[task],
                    name=execution_name(task, request),
                    input=document,
                )
            except ClientError as error:
                if code_of(error) != "ExecutionAlreadyExists":
                    raise
