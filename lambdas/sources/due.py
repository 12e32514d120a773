"""The schedule's message: a workload's source is to be asked for what has ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import parse_instant

DUE_SOURCE = "watchkeeper.due"


@dataclass(frozen=True)
class Due:
    """The time has come to ask."""

    workload: str
    at: datetime
    """Aware; that it was scheduled for, never the clock's."""


def due_message(workload: str, time: str) -> str:
    """Write the message; `time` may be what EventBridge Scheduler puts in its place."""
    return json.dumps({"source": DUE_SOURCE, "workload": workload, "time": time})


def due_of(message: str) -> Due:
    """Read the message.

    Raises
    ------
    InvalidInputError
        With reason `bad_event`, if it is another one.
    """
    try:
        document = json.loads(message)
        if document["source"] != DUE_SOURCE:
            raise InvalidInputError(f"its source is {document['source']}")
        return Due(str(document["workload"]), parse_instant(document["time"]))
    except (InvalidInputError, KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"not a message of a source's schedule: {error!r} in {message[:200]!r}", reason="bad_event"
        ) from error
