"""Always fails."""

from typing import Any


class AlwaysError(Exception):
    """What this function raises."""


def handle(event: dict[str, Any], context: Any) -> None:
    """Fail with an error type of our own."""
    raise AlwaysError(str(event.get("why", "no reason")))
