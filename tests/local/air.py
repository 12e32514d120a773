"""Live telemetry of air quality stations: records with what the topic rule adds to them."""

import json
import random
from datetime import datetime, timedelta
from typing import Any

from tests.local.histories import FIVE_MINUTES, START, air
from tests.local.laptop import Laptop
from watchkeeper.anomalies.score_line import Interval
from watchkeeper.core.timestamps import format_instant

WORKLOAD = "air_quality"
MEASURES = ("co", "no2", "so2")
LIVE = START + timedelta(days=30)
RECEIVED_AT = int((LIVE + timedelta(days=1)).timestamp() * 1000)
OPEN = 3
"""The newest intervals, which the last reading does not close: its own and 10 minutes of lateness."""
FIRST_DAY, LEAP = 154, 150
"""Intervals of a station that is new, and the one with too much CO: its severity is some 76."""


def reading(at: datetime, station: str, values: tuple[float, float, float]) -> dict[str, Any]:
    """Return one record."""
    measures = dict(zip(("CO", "SO2", "NO2"), (round(value, 3) for value in values), strict=True))
    added = {"workload": WORKLOAD, "received_at": RECEIVED_AT}
    return {"TIMESTAMP": f"{at:%Y-%m-%d %H:%M}", "LOCATION_ID": station, **measures, **added}


def readings(station: str, first: int, count: int, *, peak: int | None = None) -> list[dict[str, Any]]:
    """Return two readings of each of `count` intervals, the same values for every station.

    Parameters
    ----------
    first
        Number of the first interval after `LIVE`.
    peak
        Number of the interval with far too much NO2.
    """
    found = []
    for index in range(first, first + count):
        noise = random.Random(index)
        for minute in (0, 3):
            co, so2, no2 = air(noise.gauss, 0.8)
            at = LIVE + index * FIVE_MINUTES + timedelta(minutes=minute)
            found.append(reading(at, station, (co, so2, no2 + 300 * (index == peak))))
    return found


def day_with_a_leap(station: str, first: int = 0) -> tuple[list[dict[str, Any]], Interval]:
    """Return the first readings of a new station, as `readings`, and the interval of their leap."""
    records = readings(station, first, FIRST_DAY)
    for record in records[2 * LEAP : 2 * LEAP + 2]:
        record["CO"] += 6.0
    return records, (f"co|LOCATION_ID={station}", format_instant(LIVE + (first + LEAP) * FIVE_MINUTES))


def closed(station: str, first: int, count: int) -> set[Interval]:
    """Return the intervals that close when `readings` is all that comes."""
    return {
        (f"{measure}|LOCATION_ID={station}", format_instant(LIVE + index * FIVE_MINUTES))
        for measure in MEASURES
        for index in range(first, first + count - OPEN)
    }


def deliver(laptop: Laptop, records: list[dict[str, Any]]) -> None:
    """Put records into the delivery stream, which acknowledges all of them."""
    answer = laptop.client("firehose").put_record_batch(
        DeliveryStreamName=laptop.outputs["DeliveryStreamName"],
        Records=[{"Data": json.dumps(record).encode()} for record in records],
    )
    assert answer["FailedPutCount"] == 0
