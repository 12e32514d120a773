"""Telemetry of many series, written to the bucket as the delivery stream writes it, until it is scored."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import boto3

from cli.failures import StepFailedError
from watchkeeper.core import layout

WORKLOAD = "air_quality"
MEASURES = ("CO", "SO2", "NO2")
START = datetime(2026, 11, 29, 9, tzinfo=timezone.utc)
WARM_UP = 4
"""Objects before those that are timed: then each series has a state, and each object closes intervals."""
WAIT_SECONDS = 600.0
QUIET_SECONDS = 3.0


@dataclass(frozen=True)
class FleetThroughput:
    """Objects of telemetry, each with a record of every series, until the last one was scored."""

    series: int
    records: int
    scored_seconds: float

    @property
    def records_per_second(self) -> float:
        """From the first object to the last score."""
        return self.records / self.scored_seconds


def measure_fleet(
    session: boto3.Session, bucket: str, queue: str, run: int, series: int, objects: int
) -> FleetThroughput:
    """Write an object for each of so many intervals, and wait until the loop has scored all of them.

    Runs are numbered from 0; each has intervals of its own.
    """
    first = run * (WARM_UP + objects)
    for number in range(first, first + WARM_UP):
        put_telemetry(session, bucket, range(series), number, timedelta(minutes=5))
    settle(session, queue)
    began = time.monotonic()
    for number in range(first + WARM_UP, first + WARM_UP + objects):
        put_telemetry(session, bucket, range(series), number, timedelta(minutes=5))
    return FleetThroughput(series, series * objects, settle(session, queue) - began)


def put_telemetry(
    session: boto3.Session, bucket: str, series: Iterable[int], number: int, apart: timedelta
) -> None:
    """Write the object of this number: a message of each of these series, measured at one time.

    Objects are `apart` in event time; three series are the measures of a station.
    """
    at = START + number * apart
    noise = random.Random(number)
    lines = []
    for member in series:
        station, measure = divmod(member, len(MEASURES))
        record = {
            "TIMESTAMP": f"{at:%Y-%m-%d %H:%M}",
            "LOCATION_ID": str(station),
            MEASURES[measure]: round(noise.gauss(40, 1), 3),
            "workload": WORKLOAD,
            "received_at": int(1000 * at.timestamp()),
        }
        lines.append(json.dumps(record))
    key = f"{layout.raw_prefix(WORKLOAD)}year={at:%Y}/month={at:%m}/day={at:%d}/hour={at:%H}/{number}.gz"
    body = gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)
    session.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def settle(session: boto3.Session, queue: str) -> float:
    """Wait until no message waits or is handled, and return since when (`time.monotonic`).

    Raises
    ------
    StepFailedError
        If messages still wait after ten minutes.
    """
    client, names = session.client("sqs"), ("", "NotVisible")
    deadline, since = time.monotonic() + WAIT_SECONDS, None
    while since is None or time.monotonic() < since + QUIET_SECONDS:
        found = client.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        waiting = sum(int(found[f"ApproximateNumberOfMessages{name}"]) for name in names)
        since = None if waiting else since or time.monotonic()
        if time.monotonic() > deadline:
            raise StepFailedError(f"{waiting} messages wait after {WAIT_SECONDS:.0f} seconds")
        time.sleep(0.1)
    return since
