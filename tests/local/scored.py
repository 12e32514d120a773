"""What the scoring loop has written of a workload."""

import json
from collections import Counter
from typing import Any

from tests.local.laptop import Laptop
from tests.local.waiting import until
from watchkeeper.core import layout

Line = dict[str, Any]
Interval = tuple[str, str]
"""Series and start."""


def lines(laptop: Laptop, workload: str) -> dict[Interval, Line]:
    """Return the lines of scores; an interval that was written twice fails."""
    found = [
        json.loads(line)
        for key in laptop.keys(f"{layout.SCORES}/{workload}/")
        for line in laptop.read(key).splitlines()
    ]
    counts = Counter((line["series"], line["interval_start"]) for line in found)
    assert [interval for interval, count in counts.items() if count > 1] == []
    return {(line["series"], line["interval_start"]): line for line in found}


def until_scored(laptop: Laptop, workload: str, expected: set[Interval]) -> dict[Interval, Line]:
    """Wait for intervals; return every line that is there then."""
    return until(
        lambda: (found := lines(laptop, workload)).keys() >= expected and found,
        what=f"the scores of {len(expected)} intervals of {workload}",
        every=0.5,
    )


def quarantined(laptop: Laptop, workload: str) -> list[Line]:
    """Return what was refused of telemetry."""
    prefix = f"{layout.QUARANTINE}/{workload}/"
    return [
        json.loads(line)
        for key in laptop.keys(prefix)
        if not key.startswith(f"{prefix}runs/")
        for line in laptop.read(key).splitlines()
    ]


def until_drained(laptop: Laptop) -> None:
    """Wait until no queue of the application holds a message, dead letters included."""
    until(lambda: not any(laptop.waiting_messages().values()), what="queues without a message")
