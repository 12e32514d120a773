"""What the scoring loop has written of a workload."""

import functools
import json
from collections import Counter
from typing import Any

from tests.local.laptop import Laptop
from tests.local.waiting import until
from watchkeeper.anomalies.score_line import Interval, ScoreLine, lines_of
from watchkeeper.core import layout


def lines(laptop: Laptop, workload: str) -> dict[Interval, ScoreLine]:
    """Return the lines of scores; an interval that was written twice fails."""
    objects = laptop.entity_tags(layout.scores_prefix(workload))
    found = [line for key, tag in objects.items() for line in _lines_in(laptop, key, tag)]
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
    queues = [url for url in laptop.queues() if "FailedRunsKept" not in url]

    def drained() -> bool:
        for url in queues:
            if laptop.messages_in(url):
                queues.sort(key=url.__ne__)  # it is the first that is looked at again
                return False
        return True

    until(drained, what="queues without a message")


@functools.cache
def _lines_in(laptop: Laptop, key: str, entity_tag: str) -> list[ScoreLine]:
    """Return the lines of an object, which is read again only if it is another one."""
    return list(lines_of(laptop.read(key)))
