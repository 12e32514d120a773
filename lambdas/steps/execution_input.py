"""The input of a training execution, and which of two executions goes first."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.adapters.executions import RunningExecution
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import format_instant, parse_instant

KEYS = ("end", "reason", "start")
DEFAULT_REASON = "manual"


class TrainingInProgressError(InvalidInputError):
    """An older execution of the same workload's training is still running."""


@dataclass(frozen=True)
class Window:
    """The part of the history to train on, ISO 8601; an empty string where the input sets no end."""

    start: str
    end: str


@dataclass(frozen=True)
class ExecutionInput:
    """A checked input: why the training runs, and the part of the history that it may use."""

    reason: str
    start: datetime | None
    end: datetime | None

    def window(self) -> Window:
        """Return the ends as ISO 8601 in UTC, empty where open: a job's environment takes text only."""
        return Window(
            start=format_instant(self.start) if self.start else "",
            end=format_instant(self.end) if self.end else "",
        )


def checked_input(document: Any) -> ExecutionInput:
    """Check an execution's input: `{"reason": text?, "start": ISO 8601?, "end": ISO 8601?}`.

    Raises
    ------
    InvalidInputError
        Naming the key, its value and what is allowed.
    """
    if not isinstance(document, Mapping):
        raise InvalidInputError(
            f"execution input is {document!r}, expected an object with any of {', '.join(KEYS)}"
        )
    for key in document:
        if key not in KEYS:
            nearest = difflib.get_close_matches(str(key), KEYS, n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"allowed are {', '.join(KEYS)}"
            raise InvalidInputError(f"execution input has the unknown key {key!r}; {hint}")
    reason = document.get("reason", DEFAULT_REASON)
    if not isinstance(reason, str) or not reason.strip():
        raise InvalidInputError(f"execution input: reason is {reason!r}, expected text such as 'manual'")
    start, end = (_time_of(document, key) for key in ("start", "end"))
    if start and end and start >= end:
        raise InvalidInputError(
            f"execution input: start {format_instant(start)} is not before end {format_instant(end)}"
        )
    return ExecutionInput(reason=reason, start=start, end=end)


def refuse_if_older_runs(own: RunningExecution, running: Iterable[RunningExecution]) -> None:
    """Let only the oldest of the running executions go on, so that two never deploy at the same time.

    Raises
    ------
    TrainingInProgressError
        If one that started earlier is still running.
    """
    listed = list(running)
    as_listed = next((other for other in listed if other.execution_arn == own.execution_arn), own)
    older = min((other for other in listed if other < as_listed), default=None)
    if older is not None:
        raise TrainingInProgressError(
            f"execution {older.execution_arn}, started {format_instant(older.started_at)}, is still running; "
            "wait for its end or stop it, then start this training again"
        )


def _time_of(document: Mapping[str, Any], key: str) -> datetime | None:
    value = document.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInputError(f"execution input: {key} is {value!r}, expected ISO 8601 text")
    try:
        return parse_instant(value)
    except InvalidInputError as error:
        raise InvalidInputError(f"execution input: {key}: {error}") from error
