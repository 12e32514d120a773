"""Merge a day and a half of scores of many series, and read 24 hours of single ones, on the laptop's S3."""

from __future__ import annotations

import gzip
import json
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import boto3
import numpy as np
import typer
from botocore.config import Config
from rich.progress import track
from rich.table import Table

from benchmarks.journey.laptop import running
from benchmarks.pages import FOLDER, described, machine
from lambdas.history.effects import S3MergedObjects
from lambdas.history.merging import merge_all
from lambdas.history.reading import AT_ONCE, Wanted, read_series
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.command.screen import console, say
from watchkeeper.core import layout
from watchkeeper.core.timestamps import format_instant
from watchkeeper.stream.placement import SHELF_SERIES, bits_of

BUCKET, WORKLOAD = "history-benchmark", "presses"
INTERVAL = timedelta(minutes=5)
NOON = datetime(2026, 11, 29, 12, 40, tzinfo=timezone.utc)
"""So the day before is one file, twelve hours are a file each, and 40 minutes are as they were written."""
DAY = timedelta(days=1)
JSON = FOLDER / "history.json"


def main(
    series: Annotated[int, typer.Option(min=1, help="Series of the workload.")] = 10_000,
    questions: Annotated[int, typer.Option(min=1, help="Series that are read, one after the other.")] = 30,
) -> None:
    """Measure how long merging takes and how long 24 hours of one series take."""
    load = os.getloadavg()[0]
    names = [f"pressure|press={number}" for number in range(series)]
    with running(0.05):
        client = boto3.client("s3", config=Config(max_pool_connections=AT_ONCE))
        client.create_bucket(Bucket=BUCKET)
        for key, body in track(list(scores_objects(names)), "scores objects", console=console):
            client.put_object(Bucket=BUCKET, Key=key, Body=body)
        objects = S3MergedObjects(client, BUCKET)
        began = time.monotonic()
        report = merge_all(objects, NOON - timedelta(minutes=20), lambda: True)
        merging = time.monotonic() - began
        requests: Counter[str] = Counter()
        client.meta.events.register("before-call.s3", lambda model, **_: requests.update([model.name]))
        seconds = []
        chosen = random.Random(0).sample(names, questions)
        for name in chosen:
            began = time.monotonic()
            lines = read_series(objects, Wanted(WORKLOAD, name, NOON - DAY, NOON))
            seconds.append(time.monotonic() - began)
            if len(lines) != DAY // INTERVAL:
                raise AssertionError(f"{name}: {len(lines)} intervals, not {DAY // INTERVAL}")
        stored = _bytes_by_prefix(client)
    results: dict[str, Any] = {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": described(machine()),
        "load": load,
        "series": series,
        "rows_merged": report.rows,
        "merging_seconds": merging,
        "read_seconds": {"p50": statistics.median(seconds), "worst": max(seconds)},
        "requests_a_question": {name: count / questions for name, count in requests.items()},
        "bytes": stored,
    }
    JSON.parent.mkdir(parents=True, exist_ok=True)
    JSON.write_text(json.dumps(results, indent=1))
    _show(results)


def scores_objects(names: list[str]) -> Iterator[tuple[str, bytes]]:
    """Give the scores objects of two days until `NOON`: one for each interval and shelf."""
    rng = np.random.default_rng(0)
    shelves: dict[str, list[str]] = {}
    depth = max(0, int(np.ceil(np.log2(max(1.0, len(names) / SHELF_SERIES)))))
    for name in sorted(names):
        shelves.setdefault(bits_of(name)[:depth], []).append(name)
    start = NOON.replace(hour=0, minute=0) - DAY
    while start + INTERVAL <= NOON:
        hour = f"{start + INTERVAL:%Y-%m-%dT%H}"
        for shelf, members in shelves.items():
            values = rng.normal(20, 1, len(members)).round(3)
            lines = "".join(
                f"{_line(name, start, value).to_json()}\n"
                for name, value in zip(members, values.tolist(), strict=True)
            )
            key = layout.scores_key(WORKLOAD, hour, f"{start:%d%H%M}", shelf)
            yield key, gzip.compress(lines.encode(), compresslevel=1, mtime=0)
        start += INTERVAL


def _line(name: str, start: datetime, value: float) -> ScoreLine:
    return ScoreLine(
        *(WORKLOAD, name, format_instant(start), value, 20.0, 17.0, 23.0, abs(value - 20) / 30),
        threshold=0.3,
        severity=40.0,
        run_id="20261101T000000-abcdef",
    )


def _bytes_by_prefix(client: Any) -> dict[str, int]:
    found: Counter[str] = Counter()
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for item in page.get("Contents", []):
            found[item["Key"].partition("/")[0]] += item["Size"]
    return dict(found)


def _show(results: dict[str, Any]) -> None:
    table = Table("what", "figure", box=None, title=f"{results['series']:,} series", title_justify="left")
    table.add_row("rows merged", f"{results['rows_merged']:,} in {results['merging_seconds']:.1f} s")
    for name, seconds in results["read_seconds"].items():
        table.add_row(f"24 hours of one series, {name}", f"{1000 * seconds:,.0f} ms")
    asked = ", ".join(f"{name} {count:.0f}" for name, count in results["requests_a_question"].items())
    table.add_row("requests for one series", asked)
    for prefix, size in results["bytes"].items():
        table.add_row(
            f"bytes under {prefix}/", f"{size:,} ({size / results['rows_merged']:.1f} a row merged)"
        )
    console.print(table)
    say(f"{results['machine']}; load before the start {results['load']:.2f}")


if __name__ == "__main__":
    typer.run(main)
