"""`python -m benchmarks.shelves`: an interval of many series through the Lambda function's host.

Everything but the stores is what runs in AWS: lines, shelves, pages, the streaming detector, score lines. The
stores are dictionaries, so a network is not in the figures.
"""

from __future__ import annotations

import gzip
import json
import resource
import time
from datetime import timedelta
from typing import Annotated, Any, cast

import typer

from benchmarks.scale.telemetry import INTERVAL_SECONDS, RELEASE
from benchmarks.shelves.stores import Memory, MemoryPages, NoStates
from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring.adopting import Adopting
from lambdas.scoring.effects import ScoringEffects
from lambdas.scoring.explaining import Explainers
from lambdas.scoring.scoring import score_object
from lambdas.scoring.telemetry_object import TelemetryObject
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, format_instant

PLAN = WorkloadPlan(
    "fleet", TimestampPlan("time"), (MeasurePlan("value", "value"),), INTERVAL_SECONDS, ("device",)
)


def telemetry(series: int, interval: int) -> bytes:
    """Return an object with one reading of each series."""
    moment = format_instant(EPOCH + timedelta(seconds=1_767_225_600 + INTERVAL_SECONDS * interval))
    lines = (
        json.dumps({"time": moment, "device": f"d{device}", "value": (device * 37 + interval * 11) % 101 / 7})
        for device in range(series)
    )
    return gzip.compress("\n".join(lines).encode(), 1)


def main(
    series: Annotated[list[int] | None, typer.Argument(help="How many, for each row of the table.")] = None,
    intervals: Annotated[int, typer.Option(help="Of each; the first two make the pages.", min=3)] = 4,
) -> None:
    """Print seconds, rows a second, bytes of pages and memory of one interval, for some numbers of series."""
    print("| series | shelves | seconds | CPU seconds | series a CPU second | pages, MB | peak, MB |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in series or [1_000, 10_000, 100_000]:
        memory = Memory(PLAN, RELEASE)
        stores = cast("Any", memory)  # each of the protocols that it has the methods of
        effects = ScoringEffects(
            bucket="data",
            plans=stores,
            objects=stores,
            pages=MemoryPages(memory),
            earlier=NoStates(),
            releases=stores,
            endpoint=stores,
            explainers=Explainers(stores, stores),
            adopting=Adopting(stores, "data"),
            anomalies=stores,
            alerts=stores,
            quality=stores,
        )
        taken = []
        for interval in range(intervals):
            key = f"raw/workload=fleet/year=2026/month=01/day=01/hour=00/{interval}.gz"
            memory.objects[ObjectUri("data", key)] = telemetry(count, interval)
            began, worked = time.perf_counter(), time.process_time()
            report = score_object(TelemetryObject("data", key, "v"), effects)
            if interval > 1:
                assert report.tally.intervals_scored == count
                taken.append((time.perf_counter() - began, time.process_time() - worked))
        pages = [content for content, _ in memory.pages.values()]
        leaves = [content for content in pages if len(content) > 1_000]
        seconds, processor = min(taken)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"| {count:,} | {len(leaves)} | {seconds:.2f} | {processor:.2f} | {count / processor:,.0f} "
            f"| {sum(map(len, pages)) / 1e6:,.0f} | {peak:,.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    typer.run(main)
