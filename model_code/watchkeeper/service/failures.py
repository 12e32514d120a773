"""How a failed task says why: one text through SageMaker and Step Functions, one problem for the caller.

A job that refuses its input fails with `describe_failure`'s text. SageMaker shows it as the `ExitMessage` of
a processing job and in the `FailureReason` of a training job, at most 1,024 characters. The workflow's error
and cause become the request's `error` by `failure_of`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchkeeper.core.causes import words_of_cause
from watchkeeper.core.errors import InvalidInputError

FAILURE_LENGTH = 1000
INTERNAL_TYPE = "task_failed"
ABORTED_TYPE = "task_aborted"
TIMED_OUT_TYPE = "task_timed_out"

_MARKED = re.compile(r"\[problem:([a-z][a-z0-9_]*)\]\s*(.*?)(?:, exit code: \d+)?\s*\Z", re.DOTALL)
"""SageMaker appends a training job's exit code to what the job said."""


@dataclass(frozen=True)
class Failure:
    """Why a task failed: `type` is a problem's name, such as `non_numeric_value`."""

    type: str
    message: str


def describe_failure(error: InvalidInputError) -> str:
    """Return the text of a refused input: `[problem:REASON] message`, cut to what SageMaker keeps."""
    return f"[problem:{error.reason}] {error}"[:FAILURE_LENGTH]


def failure_of(error: str, cause: str) -> Failure:
    """Return the failure that an execution's error and cause tell.

    Parameters
    ----------
    error, cause
        As Step Functions gives them to `Catch`, `Fail` and its status events; see `words_of_cause`.
    """
    if error == "States.Timeout":
        return Failure(TIMED_OUT_TYPE, cause or "the task took longer than it may")
    text = words_of_cause(cause)
    marked = _MARKED.search(text)
    if marked:
        return Failure(marked[1], marked[2])
    return Failure(
        INTERNAL_TYPE, (f"{error}: {text}" if text else error or "no reason given")[:FAILURE_LENGTH]
    )
