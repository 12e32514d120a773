"""The threshold of a drafted workload: no more alerts on its files than are wanted."""

from __future__ import annotations

import numpy as np
import pytest

from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.spec.tuning import RARITIES, Line, tuned_rarity

INTERVAL, WEEK = 600, 604_800


def lines(count: int = 4, weeks: int = 4) -> list[Line]:
    times = np.arange(weeks * WEEK // INTERVAL) * float(INTERVAL)
    noise = np.random.default_rng(3)
    return [(times, noise.standard_t(4, len(times))) for _ in range(count)]


def alerts(series: list[Line], rarity: float) -> int:
    """At most one an hour and series, counted another way: six intervals are an hour."""
    total = 0
    for times, values in series:
        detector = WatchkeeperDetector(interval_seconds=INTERVAL, alert_rarity=rarity)
        flags = detector.update_all(values, timestamps=times).is_anomaly.tolist()
        at = 0
        while at < len(flags):
            total, at = (total + 1, at + 6) if flags[at] else (total, at + 1)
    return total


@pytest.mark.parametrize("wanted", [0.25, 1, 3])
def test_takes_the_lowest_rarity_that_keeps_to_the_wanted_alerts(wanted: float) -> None:
    series = lines()

    found = tuned_rarity(series, INTERVAL, wanted)

    assert alerts(series, found) <= 4 * wanted
    lower = [rarity for rarity in RARITIES if rarity < found]
    assert all(alerts(series, rarity) > 4 * wanted for rarity in lower)
    assert len(lower) < len(RARITIES) - 1


def test_fewer_wanted_alerts_take_a_higher_rarity() -> None:
    series = lines()

    assert tuned_rarity(series, INTERVAL, 0.25) > tuned_rarity(series, INTERVAL, 10)
