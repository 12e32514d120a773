"""Histories whose outcome is known by construction: seeded noise, and failures at known places."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

START = datetime(2024, 1, 8, tzinfo=timezone.utc)
FIVE_MINUTES = timedelta(minutes=5)

NORMAL, FAILED = 80.0, 45.0
"""Temperature of the machine as usual, and in a failure."""


@dataclass(frozen=True)
class History:
    """A CSV file and labelled windows."""

    header: str
    lines: Sequence[str]
    labels: Sequence[tuple[str, str]] = ()

    def csv(self) -> str:
        """Return the file."""
        return "\n".join([self.header, *self.lines]) + "\n"


def machine_temperature(*, seed: int = 7, polluted: bool = False, restless: bool = False) -> History:
    """Return five days of temperatures with one labelled failure in the test part.

    Parameters
    ----------
    seed
        Of the noise.
    polluted
        Half of the training part is at the failure's temperature: a model of it takes failures for normal.
    restless
        The test part has a short drop every four hours that no label tells of.
    """
    count, noise = 1500, random.Random(seed)
    failure = range(1250, 1274)

    def usual(index: int) -> float:
        if index in failure or (polluted and index < 600 and index // 40 % 2):
            return FAILED
        if restless and index > 950 and index % 48 < 2:
            return NORMAL - 25
        return NORMAL

    lines = []
    for index in range(count):
        # restless where the threshold is fitted, calm where it is tested: no false alert by accident
        spread = 1.2 if 600 <= index < 900 else 0.6
        lines.append(f"{_plain(index)},{usual(index) + noise.gauss(0, spread):.3f}")
    return History("timestamp,value", lines, [(_plain(failure.start), _plain(failure.stop - 1))])


def air_quality(
    *, seed: int = 7, stations: Sequence[str] = ("clean", "north", "rough", "twice"), restless: bool = False
) -> History:
    """Return two days of calm readings, the same of every station.

    Parameters
    ----------
    restless
        The test part has a leap every two hours.
    """
    noise = random.Random(seed)
    lines = []
    for index in range(600):
        spread = 1.5 if 360 <= index < 480 else 1.0
        leap = 40.0 * (index // 24 - 19) if restless and index >= 480 and index % 24 == 12 else 0.0
        at = f"{START + index * FIVE_MINUTES:%Y-%m-%d %H:%M}"
        cells = ",".join(f"{reading + leap:.3f}" for reading in air(noise.gauss, spread))
        lines += [f"{at},{station},{cells}" for station in stations]
    return History("TIMESTAMP,LOCATION_ID,CO,SO2,NO2", lines)


def hourly_flow(*, seed: int = 7, count: int = 1000) -> History:
    """Return six weeks of an even flow."""
    noise = random.Random(seed)
    lines = [
        f"{START + index * timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ},{100 + noise.gauss(0, 1.5):.3f}"
        for index in range(count)
    ]
    return History("Time,Water flow [l/s]", lines)


def air(gauss: Callable[[float, float], float], spread: float) -> tuple[float, float, float]:
    """Return CO, SO2 and NO2 of an ordinary interval."""
    return 40 + gauss(0, spread), 100 + gauss(0, 2 * spread), 200 + gauss(0, 4 * spread)


def _plain(index: int) -> str:
    return f"{START + index * FIVE_MINUTES:%Y-%m-%d %H:%M:%S}"
