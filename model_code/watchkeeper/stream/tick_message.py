"""A tick as a message: what the scheduler sends, and how it is told from an object's announcement."""

from __future__ import annotations

import json
from dataclasses import dataclass

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant
from watchkeeper.stream.readings import Source

TICK_SOURCE = "watchkeeper.tick"


@dataclass(frozen=True)
class Tick:
    """The time has come to close a workload's intervals."""

    workload: str
    seconds: int
    """That it was scheduled for, since 1970; never the clock's."""

    @property
    def source(self) -> Source:
        """What its outputs are named for."""
        time = format_instant(self.seconds)
        return Source(f"tick#{time}", time[:13], f"tick/{time}", f"tick {time}")


def tick_of(message: str) -> Tick | None:
    """Read a tick; None if the message is something else.

    Raises
    ------
    InvalidInputError
        If it is a tick without a workload or a time.
    """
    try:
        document = json.loads(message)
    except ValueError:
        return None
    if not isinstance(document, dict) or document.get("source") != TICK_SOURCE:
        return None
    try:
        return Tick(str(document["workload"]), epoch_seconds(parse_instant(document["time"])))
    except (InvalidInputError, KeyError, TypeError) as error:
        raise InvalidInputError(f"not a tick: {error!r} in {message[:200]!r}", reason="bad_event") from error
