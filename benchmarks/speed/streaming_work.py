"""What the streaming detector does, timed: run as a file, with another version of the package on the path.

`python streaming_work.py WORK` prints rows a second of processor time. It calls only what every version has.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

ROW_BY_ROW, IN_A_CALL, SHELF = "row", "call", "shelf"
INTERVAL_SECONDS = 300.0
LEARNED_ROWS = 5000
SHELF_SERIES = 1024
ENOUGH_SECONDS = 1.0
"""Of processor time, so that a short turn of the clock counts little."""


def row_by_row() -> Callable[[], int]:
    """Return what scores and learns one row of one series."""
    from watchkeeper.detectors.streaming.detector import WatchkeeperDetector

    values = np.random.default_rng(0).normal(size=LEARNED_ROWS)
    detector = WatchkeeperDetector(interval_seconds=INTERVAL_SECONDS)
    detector.fit(values, timestamps=np.arange(LEARNED_ROWS) * INTERVAL_SECONDS)
    now = LEARNED_ROWS * INTERVAL_SECONDS

    def work() -> int:
        nonlocal now
        detector.update(float(values[int(now) % LEARNED_ROWS]), now)
        now += INTERVAL_SECONDS
        return 1

    return work


def in_a_call() -> Callable[[], int]:
    """Return what scores and learns 2,000 rows of one series at once."""
    from watchkeeper.detectors.streaming.detector import WatchkeeperDetector

    values = np.random.default_rng(0).normal(size=LEARNED_ROWS + 2000)
    detector = WatchkeeperDetector().fit(values[:LEARNED_ROWS])
    return lambda: len(detector.update_all(values[LEARNED_ROWS:]))


def shelf() -> Callable[[], int]:
    """Return what scores and learns a row of each series of a full shelf."""
    from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
    from watchkeeper.detectors.streaming.fleet import Fleet

    generator = np.random.default_rng(0)
    fleet = Fleet(interval_seconds=INTERVAL_SECONDS)
    states = []
    for template in range(4):  # of different ages, so that not all close a block at once
        rows = LEARNED_ROWS - template
        seconds = (np.arange(rows) + template) * INTERVAL_SECONDS
        detector = WatchkeeperDetector(interval_seconds=INTERVAL_SECONDS)
        states.append(detector.fit(generator.normal(size=rows), timestamps=seconds).states_)
    numbers = fleet.join(SHELF_SERIES, np.resize(np.concatenate(states), SHELF_SERIES))
    now = LEARNED_ROWS * INTERVAL_SECONDS

    def work() -> int:
        nonlocal now
        fleet.update(numbers, generator.normal(size=SHELF_SERIES), now)
        now += INTERVAL_SECONDS
        return SHELF_SERIES

    return work


WORKS = {ROW_BY_ROW: row_by_row, IN_A_CALL: in_a_call, SHELF: shelf}


def rows_per_second(work: Callable[[], int]) -> float:
    """Return how many rows a second of processor time are done; the first time, which may compile, is not
    counted."""
    work()
    rows, started = 0, time.process_time()
    while (spent := time.process_time() - started) < ENOUGH_SECONDS:
        rows += work()
    return rows / spent


if __name__ == "__main__":
    if "--plain" in sys.argv:
        sys.modules["numba"] = None  # type: ignore[assignment]  # as where it is not installed
    print(rows_per_second(WORKS[sys.argv[1]]()))
