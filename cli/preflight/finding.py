"""What a check found: green, yellow or red, in words, with the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


class Level(StrEnum):
    """How a check ended."""

    GREEN = "green"
    YELLOW = "yellow"
    """Works, or cannot be known here; worth a look."""
    RED = "red"
    """Would fail."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    check: str
    level: Level
    text: str
    remedy: str | None = None
    """What to do, mostly a command; always there where the level is red."""
    figures: dict[str, Any] = field(default_factory=dict)
    """What a program may want to know: names and numbers."""


Check = Callable[[], Iterator[Finding]]

_REFUSED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def answered(name: str, check: Check) -> Iterator[Finding]:
    """Carry out a check; what AWS does not answer is yellow and says so, and the next check goes on."""
    try:
        yield from check()
    except ClientError as error:
        refused = error.response["Error"]["Code"] in _REFUSED
        operation = error.operation_name
        why = "is not allowed to these credentials" if refused else f"has no answer here ({error})"
        yield Finding(
            name,
            Level.YELLOW,
            f"not known: {operation} {why}",
            f"allow {operation} to these credentials, in AWS's own policy ReadOnlyAccess for example"
            if refused
            else None,
        )
    except BotoCoreError as error:
        yield Finding(name, Level.YELLOW, f"not known, no answer here: {error}")
