"""The states that an execution went through, from the events of its history."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass
class Step:
    """One state of an execution; a state of a loop is one step."""

    name: str
    started_at: datetime
    ended_at: datetime | None = None
    error: str | None = None
    """Of the last attempt; None where a later one went well."""
    cause: str | None = None
    visits: int = 1
    left: bool = False
    """Whether the execution went on after it."""

    @property
    def seconds(self) -> float | None:
        """Time from the first entry to the last exit; None while it runs."""
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


def steps_of(events: Iterable[Any], *, unseen: Collection[str] = ()) -> list[Step]:
    """Return the steps that an execution's events tell of, in the order of their beginning.

    Parameters
    ----------
    unseen
        Types of states that are left out, such as `Choice`.
    """
    steps: dict[str, Step] = {}
    current: Step | None = None
    for event in events:
        kind: str = event["type"]
        if kind.endswith("StateEntered"):
            if kind.removesuffix("StateEntered") in unseen:
                continue
            name = event["stateEnteredEventDetails"]["name"]
            current = steps.get(name)
            if current is None:
                current = steps[name] = Step(name, event["timestamp"])
            else:
                current.visits += 1
                current.ended_at, current.left = None, False
        elif kind.endswith("StateExited"):
            name = event["stateExitedEventDetails"]["name"]
            if name in steps:
                steps[name].ended_at, steps[name].left = event["timestamp"], True
        elif kind.startswith("Execution"):
            if current is not None and current.ended_at is None:
                current.ended_at = event["timestamp"]
        elif current is not None and kind.endswith(("Failed", "TimedOut")):
            current.error, current.cause = _error_in(event)
        elif current is not None and kind.endswith("Succeeded"):
            current.error = current.cause = None
    return list(steps.values())


def _error_in(event: dict[str, Any]) -> tuple[str | None, str | None]:
    for key, details in event.items():
        if key.endswith(("FailedEventDetails", "TimedOutEventDetails")):
            return details.get("error"), details.get("cause")
    return None, None
