"""Rows a second of the engines, side by side.

What is timed is the processor time of this process, so that other work on the machine counts little. The
engines take turns: each repetition runs every engine once, and the median of the repetitions is taken, so
that a machine that slows down slows all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from benchmarks.speed.contenders import ATTRIBUTE, SCORE, UPDATE, Engine, Operation

FloatArray = npt.NDArray[np.float64]
TRAINING_ROWS = 2000
MOST_ROWS = 20_000
FEWEST_ROWS = 8
TURN_SECONDS = 0.15
OUTLIERS = 0.02


@dataclass(frozen=True)
class Rate:
    """How many rows a second of processor time one operation handles; None: the engine is not installed."""

    engine: str
    operation: str
    features: int
    trees: int
    rows_per_second: float | None


def measure(engines: Iterable[Engine], features: int, trees: int, *, repetitions: int) -> list[Rate]:
    """Return the rate of every operation of every engine."""
    generator = np.random.default_rng(features)
    train = generator.normal(size=(TRAINING_ROWS, features))
    queries = generator.normal(size=(MOST_ROWS, features))
    queries[generator.random(MOST_ROWS) < OUTLIERS] *= 4
    operations: dict[tuple[str, str], Operation] = {}
    missing = []
    for engine in engines:
        if not engine.installed():
            missing += [Rate(engine.name, name, features, trees, None) for name in (SCORE, UPDATE)]
            continue
        built = engine.build(train, trees)
        operations |= {
            (engine.name, name): built[name] for name in (SCORE, ATTRIBUTE, UPDATE) if name in built
        }
    rows = {key: _rows_for_a_turn(operation, queries) for key, operation in operations.items()}
    rates: dict[tuple[str, str], list[float]] = {key: [] for key in operations}
    for _ in range(repetitions):
        for key, operation in operations.items():
            rates[key].append(rows[key] / _seconds(operation, queries[: rows[key]]))
    found = [Rate(*key, features, trees, median(values)) for key, values in rates.items()]
    return found + missing


def _rows_for_a_turn(operation: Operation, queries: FloatArray) -> int:
    """Return how many rows take about `TURN_SECONDS`; what is compiled on the first call is compiled here."""
    operation(queries[:FEWEST_ROWS])
    rows = FEWEST_ROWS
    while rows < MOST_ROWS:
        seconds = _seconds(operation, queries[:rows])
        if seconds > TURN_SECONDS / 4:
            return max(min(int(rows * TURN_SECONDS / seconds), MOST_ROWS), FEWEST_ROWS)
        rows *= 4
    return MOST_ROWS


def _seconds(operation: Operation, rows: FloatArray) -> float:
    started = time.process_time()
    operation(rows)
    return max(time.process_time() - started, 1e-9)
