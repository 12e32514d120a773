"""How cost and memory grow: with the records of a series, with the series of a fleet, and by engine."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.processes import in_a_process
from benchmarks.speed.contenders import ENGINES
from containers.runtime.memory import peak_memory_bytes
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.detectors.streaming.fleet import Fleet
from watchkeeper.detectors.streaming.state import STATE

RECORD_COUNTS = (100, 1_000, 10_000, 100_000)
FLEET_SIZES = (1_000, 10_000, 100_000, 1_000_000)
INTERVAL_SECONDS = 300.0
TIMED_RECORDS = 2000
TEMPLATES = 64
# Long enough that all rings are full; series of different ages, so that not all close a block at once.
TEMPLATE_ROWS = 5000
UPDATES = 4
MEMORY_FEATURES, MEMORY_TREES, MEMORY_ROWS = 8, 50, 20_000
SPARE_BYTES = 2 << 30


@dataclass(frozen=True)
class RecordCost:
    """What one more record costs a detector that has seen `records`."""

    records: int
    microseconds: float
    state_bytes: int


@dataclass(frozen=True)
class FleetCost:
    """What one interval of a fleet costs."""

    series: int
    threads: int
    cpu_seconds: float
    wall_seconds: float
    microseconds_a_series: float
    state_bytes: int
    peak_bytes: int


@dataclass(frozen=True)
class PeakMemory:
    """The most memory that a process of its own held: with the library imported, and after the work."""

    engine: str
    imported_bytes: int
    peak_bytes: int


def records() -> list[RecordCost]:
    """Return what a record costs after ever more of them."""
    values = np.random.default_rng(0).normal(size=max(RECORD_COUNTS) + TIMED_RECORDS)
    costs = []
    for count in RECORD_COUNTS:
        detector = WatchkeeperDetector().fit(values[:count])
        started = time.process_time()
        detector.update_all(values[count : count + TIMED_RECORDS])
        seconds = time.process_time() - started
        costs.append(RecordCost(count, seconds / TIMED_RECORDS * 1e6, detector.states_.nbytes))
    return costs


def fleet(series: int, threads: int) -> FleetCost:
    """Return what an interval costs a fleet whose series have seen thousands of rows, median of some."""
    templates = _templates()
    fleet = Fleet(interval_seconds=INTERVAL_SECONDS, threads=threads)
    numbers = fleet.join(0)
    for first in range(0, series, TEMPLATES * 1024):
        count = min(TEMPLATES * 1024, series - first)
        numbers = np.append(numbers, fleet.join(count, np.resize(templates, count)))
    generator = np.random.default_rng(1)
    now = TEMPLATE_ROWS * INTERVAL_SECONDS
    cpu, wall = [], []
    for update in range(UPDATES + 1):
        values = generator.normal(size=series)
        now += INTERVAL_SECONDS
        cpu_started, wall_started = time.process_time(), time.perf_counter()
        scores = fleet.update(numbers, values, now)
        if update:  # the first reads each state for the first time
            cpu.append(time.process_time() - cpu_started)
            wall.append(time.perf_counter() - wall_started)
        if not np.isfinite(scores.anomaly_score).all():
            raise RuntimeError("a series of the fleet has no score")
    return FleetCost(
        series=series,
        threads=threads,
        cpu_seconds=float(np.median(cpu)),
        wall_seconds=float(np.median(wall)),
        microseconds_a_series=float(np.median(cpu)) / series * 1e6,
        state_bytes=fleet.state_bytes,
        peak_bytes=peak_memory_bytes(),
    )


def fleet_in_a_process(series: int, threads: int) -> FleetCost:
    """Return `fleet` of a process of its own, so that its peak memory is that fleet's."""
    return in_a_process(fleet, series, threads)


def fits(series: int) -> bool:
    """Whether this machine has the memory for a fleet of this size."""
    import psutil

    return psutil.virtual_memory().available > series * STATE.itemsize + SPARE_BYTES


def peak_memory(engine: str) -> PeakMemory:
    """Return the peak memory of an engine in a process of its own."""
    return in_a_process(_peak_memory_here, engine)


def _peak_memory_here(name: str) -> PeakMemory:
    engine = ENGINES[name]
    engine.installed()
    imported = peak_memory_bytes()
    generator = np.random.default_rng(0)
    operations = engine.build(generator.normal(size=(2000, MEMORY_FEATURES)), MEMORY_TREES)
    rows = generator.normal(size=(MEMORY_ROWS, MEMORY_FEATURES))
    for operation in operations.values():
        operation(rows if name != "rrcf" else rows[:50])
    return PeakMemory(name, imported, peak_memory_bytes())


def _templates() -> npt.NDArray[np.void]:
    generator = np.random.default_rng(0)
    states = []
    for template in range(TEMPLATES):
        rows = TEMPLATE_ROWS - template % 4
        seconds = (np.arange(rows) + (template % 4) + 1) * INTERVAL_SECONDS
        detector = WatchkeeperDetector(interval_seconds=INTERVAL_SECONDS)
        states.append(detector.fit(generator.normal(size=rows), timestamps=seconds).states_)
    return np.concatenate(states)
