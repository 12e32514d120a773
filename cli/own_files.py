"""A user's own files in two parts: the older one is trained on, the newest one is sent as devices would."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from cli.metrics import say_read
from cli.telemetry import Reading, Telemetry, read_telemetry
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.telemetry.tally import Tally

LIVE_SHARE = 0.15
"""Of the files' span of time."""
MOST_LIVE = 20_000
"""Readings that are sent at most: some 20 seconds of MQTT."""


@dataclass(frozen=True)
class OwnFiles:
    """The readings of all files, in two parts."""

    history: tuple[Reading, ...]
    live: tuple[Reading, ...]
    live_from: datetime
    """The first time of the live part; aware, UTC."""

    def history_lines(self) -> bytes:
        """Return the older part as JSON lines."""
        return b"".join(reading.message + b"\n" for reading in self.history)

    def digest(self, plan: WorkloadPlan) -> str:
        """Return a hash of all that a training on the older part depends on."""
        return hashlib.sha256(self.history_lines() + plan.to_json().encode()).hexdigest()


def read_own_files(paths: Sequence[Path], plan: WorkloadPlan, since: datetime | None = None) -> OwnFiles:
    """Read files and part them.

    Parameters
    ----------
    since
        Where the live part begins; None: the newest `LIVE_SHARE` of the time, `MOST_LIVE` readings at most.

    Raises
    ------
    InvalidInputError
        If a file cannot be read, too much of it is unusable, or a part is empty.
    """
    readings: list[Reading] = []
    for path in paths:
        telemetry = read_telemetry(path, plan)
        say_read(path, telemetry.tally, notes=telemetry.notes)
        telemetry.tally.check(plan.max_refused_share)
        readings += telemetry.readings
    readings.sort(key=lambda reading: reading.event_time)
    begin = since or _beginning(readings, plan.interval_seconds)
    parted = Telemetry(tuple(readings), Tally())
    history, live = parted.between(None, begin).readings, parted.between(begin, None).readings
    if not history or not live:
        raise InvalidInputError(
            f"nothing to {'train on before' if not history else 'send from'} {begin.isoformat()}: the "
            f"files have {readings[0].event_time.isoformat()} to {readings[-1].event_time.isoformat()}; "
            "--from says where the part begins that is sent"
        )
    return OwnFiles(history, live, begin)


def _beginning(readings: Sequence[Reading], interval_seconds: int) -> datetime:
    """Return the start of an interval."""
    first, last = readings[0].event_time, readings[-1].event_time
    by_share = last - LIVE_SHARE * (last - first)
    by_count = readings[max(0, len(readings) - MOST_LIVE)].event_time
    return datetime.fromtimestamp(
        epoch_seconds(max(by_share, by_count)) // interval_seconds * interval_seconds, timezone.utc
    )
