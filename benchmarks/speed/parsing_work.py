"""Parsing of an object of telemetry, in whatever version of the package is on the path: seconds, and a digest
of what was read.

Run as a file: the versions that it is run with may have nothing else of the benchmarks.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time

from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.stream.object_lines import sort_lines

OBJECTS, LINES = 10, 1_000
FIELDS = {"three": ("CO", "SO2", "NO2"), "one": ("CO",)}
REFUSED_EVERY = 97


def plan_of(fields: tuple[str, ...]) -> WorkloadPlan:
    """Return the plan of a workload with one dimension."""
    measures = tuple(MeasurePlan(field.lower(), field) for field in fields)
    timestamp = TimestampPlan("TIMESTAMP", "%Y-%m-%d %H:%M")
    return WorkloadPlan("air", timestamp, measures, 300, dimensions=("LOCATION_ID",))


def body(number: int, fields: tuple[str, ...]) -> bytes:
    """Return an object: a line of each of 1,000 devices, as the rule writes it, a few of them bad."""
    noise = random.Random(number)
    lines = []
    for device in range(LINES):
        record = {
            "TIMESTAMP": f"2024-02-07 00:{number:02d}",
            "LOCATION_ID": f"S-{device}",
            **{field: round(noise.gauss(40, 1), 3) for field in fields},
            "workload": "air",
            "received_at": 1_900_000_000_000,
        }
        if device % REFUSED_EVERY == 0:
            record["CO"] = "high"
        lines.append(json.dumps(record))
    return "\n".join(lines).encode()


def main() -> None:
    """Print the seconds of processor time, and the digest."""
    fields = FIELDS[sys.argv[1]]
    plan = plan_of(fields)
    bodies = [body(number, fields) for number in range(OBJECTS + 1)]
    sort_lines(bodies[0], plan).readings(plan)
    begun = time.process_time()
    sorted_out = [sort_lines(each, plan) for each in bodies[1:]]
    parsed = time.process_time()
    readings = [lines.readings(plan) for lines in sorted_out]
    ended = time.process_time()
    digest = hashlib.sha256()
    for lines, columns in zip(sorted_out, readings, strict=True):
        digest.update(repr(lines).encode() + repr(columns.series).encode() + columns.rows.tobytes())
    print(json.dumps([parsed - begun, ended - parsed, digest.hexdigest()]))


if __name__ == "__main__":
    main()
