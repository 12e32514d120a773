"""Twelve stations of real air-quality values, and faults put into them whose truth is known.

The public record is of one station for eight days. Another station is the same record begun at another row,
so that every value is one that was measured; between rows the record has no memory (autocorrelation below
0.1), so the stations are as good as independent.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cli.datasets import DATASETS, located

Floats = npt.NDArray[np.float64]

MEASURES = ("co", "no2", "so2")
STATIONS = tuple(f"B-{number}" for number in range(101, 113))
INTERVAL_SECONDS = 300
BEGIN = 1_772_409_600
"""Start of the first row: Monday, 2026-03-02T00:00:00Z."""
WARM_ROWS = 1_700
"""Learned before the first fault: six days."""
FIRST_FAULT, LAST_FAULT = 60, 500
"""Rows after those between which a fault begins."""
LONGEST = 36
"""Intervals of a fault: three hours."""
_PLACES_OF_A_PLUME = 3
FROZEN, DRIFT = "frozen sensor", "slow drift"


@dataclass(frozen=True)
class Fault:
    """What is wrong, where, since when and for how long."""

    kind: str
    stations: tuple[str, ...]
    measures: tuple[str, ...]
    begin: int
    """Row of the stretch."""
    rows: int
    size: float
    """In ranges of a measure (largest less smallest value of the record); below 0 values fall. A drift grows
    to it; of a sensor that is frozen it says nothing."""

    @property
    def series(self) -> frozenset[str]:
        """Those that are wrong."""
        return frozenset(series_of(measure, place) for measure in self.measures for place in self.stations)


@dataclass(frozen=True)
class World:
    """Values by series: rows that are learned first, then a stretch in which faults are."""

    values: dict[str, Floats]

    @property
    def warm(self) -> dict[str, Floats]:
        """What is learned before."""
        return {series: row[:WARM_ROWS] for series, row in self.values.items()}

    def stretch(self, faults: Sequence[Fault] = ()) -> dict[str, Floats]:
        """Return what comes after, with faults."""
        found = {series: row[WARM_ROWS:].copy() for series, row in self.values.items()}
        for fault in faults:
            for place, station in enumerate(fault.stations):
                late = place % 3 if fault.kind == "plume" else 0  # it drifts from one to the next
                part = slice(fault.begin + late, fault.begin + late + fault.rows)
                for measure in fault.measures:
                    row = found[series_of(measure, station)]
                    off = fault.size * float(np.ptp(self.values[series_of(measure, station)]))
                    if fault.kind == FROZEN:
                        row[part] = row[fault.begin - 1]
                    elif fault.kind == DRIFT:
                        row[part] += np.linspace(0.0, off, len(row[part]))
                    else:
                        row[part] += off
        return found


def series_of(measure: str, station: str) -> str:
    """Return the series key."""
    return f"{measure}|LOCATION_ID={station}"


def record() -> dict[str, Floats]:
    """Return the public record by measure, in the order of time."""
    text = located(DATASETS["air_quality"].history).read_bytes().decode("utf-8-sig")
    rows = {line["TIMESTAMP"]: line for line in csv.DictReader(io.StringIO(text))}
    ordered = [rows[timestamp] for timestamp in sorted(rows)]
    return {
        measure: np.array([float(line[measure.upper()]) for line in ordered], dtype=np.float64)
        for measure in MEASURES
    }


def world(measured: dict[str, Floats], seed: int) -> World:
    """Return a world: each station begins somewhere else in the record."""
    generator = np.random.default_rng(seed)
    rows = len(measured["co"])
    begins = generator.choice(rows, len(STATIONS), replace=False)
    return World(
        {
            series_of(measure, station): np.roll(measured[measure], -int(begin))
            for station, begin in zip(STATIONS, begins, strict=True)
            for measure in MEASURES
        }
    )


def faults_of(seed: int) -> Iterator[tuple[Fault, ...]]:
    """Yield the faults of each run of a world; those of one run begin at the same time."""
    generator = np.random.default_rng(1_000 + seed)

    def fault(kind: str, stations: int, measures: int, rows: tuple[int, int], direction: int = 0) -> Fault:
        size = float(generator.uniform(0.4, 3.0)) * (direction or int(generator.choice([-1, 1])))
        chosen = tuple(sorted(generator.choice(STATIONS, stations, replace=False).tolist()))
        what = tuple(sorted(generator.choice(MEASURES, measures, replace=False).tolist()))
        begin = int(generator.integers(FIRST_FAULT, LAST_FAULT))
        return Fault(kind, chosen, what, begin, int(generator.integers(rows[0], rows[1] + 1)), size)

    for _ in range(2):
        yield (fault("spike of one measure", 1, 1, (1, 1)),)
        yield (fault("burst of one measure", 1, 1, (2, 6)),)
        yield (fault("level of one measure", 1, 1, (12, LONGEST)),)
        yield (fault("two measures", 1, 2, (2, LONGEST)),)
        yield (fault("whole station", 1, 3, (2, LONGEST)),)
        yield (fault("plume", _PLACES_OF_A_PLUME, 2, (6, LONGEST), 1),)
    yield (fault("half a day of one measure", 1, 1, (100, 140)),)
    yield (fault("one measure everywhere", len(STATIONS), 1, (2, LONGEST)),)
    one, other = fault("two stations", 2, 1, (2, LONGEST)), fault("two stations", 2, 2, (2, LONGEST))
    yield (
        Fault("two at once", one.stations[:1], one.measures, one.begin, one.rows, one.size),
        Fault("two at once", one.stations[1:], other.measures, one.begin, other.rows, other.size),
    )
    for _ in range(2):
        yield (fault(FROZEN, 1, 1, (36, 140)),)
        yield (fault(DRIFT, 1, 1, (100, 140)),)
