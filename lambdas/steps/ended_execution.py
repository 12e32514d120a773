"""An execution that ended badly, as EventBridge tells of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.service.failures import ABORTED_TYPE, TIMED_OUT_TYPE, Failure, failure_of
from watchkeeper.service.tasks import TaskInput


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
