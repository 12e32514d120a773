"""What the scoring loop has written of a workload."""

import json
from collections import Counter
from typing import Any

from tests.local.laptop import Laptop
from tests.local.waiting import until
from watchkeeper.anomalies.score_line import Interval, ScoreLine, lines_of
from watchkeeper.core import layout


def lines(laptop: Laptop, workload: str) -> dict[Interval, ScoreLine]:
    """Return the lines of scores; an interval that was written twice fails."""
    found = [
        line for key in laptop.keys(layout.scores_prefix(workload)) for line in lines_of(laptop.read(key))
    ]
    counts = Counter(line.interval for line in found)
    assert [interval for interval, count in counts.items() if count > 1] == []
    return {line.interval: line for line in found}


def until_scored(laptop: Laptop, workload: str, expected: set[Interval]) -> dict[Interval, ScoreLine]:
    """Wait for intervals; return every line that is there then."""
    return until(
        lambda: (found := lines(laptop, workload)).keys() >= expected and found,
        what=f"the scores of {len(expected)} intervals of {workload}",
        every=0.5,
    )


def quarantined(laptop: Laptop, workload: str) -> list[dict[str, Any]]:
    """Return what was refused of telemetry."""
    prefix = f"{layout.QUARANTINE}/{workload}/"
    return [
        json.loads(line)
        for key in laptop.keys(prefix)
        if not key.startswith(f"{prefix}runs/")
        for line in laptop.read(key).splitlines()
    ]


def until_drained(laptop: Laptop) -> None:
    """Wait until no queue of the application holds a message, dead letters included.

    Failed runs are kept in a queue for whoever looks into them: journeys before may have had some.
    """

    def waiting() -> list[str]:
        counts = laptop.waiting_messages()
        return [name for name, count in counts.items() if count and "FailedRunsKept" not in name]

    until(lambda: not waiting(), what="queues without a message")
