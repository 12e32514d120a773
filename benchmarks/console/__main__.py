"""How soon the console's screens have their first data, with many series and incidents on the laptop."""

from __future__ import annotations

import json
import os
import statistics
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Annotated
from urllib.parse import quote

import boto3
import typer
from rich.progress import track
from rich.table import Table

from benchmarks.console.filling import WORKLOAD, Names, fill
from benchmarks.journey.laptop import running
from benchmarks.pages import FOLDER, machine
from cli.deployer import Deployer, Stage
from cli.stacks import Deployment
from localcloud.settings import Settings
from watchkeeper.command.screen import console, say

JSON = FOLDER / "console.json"
TIMEOUT_SECONDS = 60


def main(
    series: Annotated[int, typer.Option(min=1, help="Series of the workload.")] = 10_000,
    incidents: Annotated[int, typer.Option(min=1, help="Incidents of three months.")] = 1_000,
    times: Annotated[int, typer.Option(min=5, help="Requests of each kind, one after the other.")] = 40,
) -> None:
    """Fill a laptop of its own and ask for what each screen shows first."""
    about = machine()
    with running(0.05) as settings:
        session = boto3.Session()
        Deployer(session, Stage.LAPTOP, WORKLOAD).deploy()
        now = datetime.now(timezone.utc).replace(microsecond=0)
        names = fill(session, Deployment(session), series, incidents, now)
        say(f"{series:,} series and {incidents:,} incidents are there")
        found = {
            name: _measured(settings, path, times)
            for name, path in track(list(_questions(names, now)), "routes", console=console)
        }
    results = {"machine": about, "series": series, "incidents": incidents, "milliseconds": found}
    JSON.parent.mkdir(parents=True, exist_ok=True)
    JSON.write_text(json.dumps(results, indent=1))
    table = Table("what is asked", "first", "p50", "p95", "bytes", box=None)
    for name, row in found.items():
        table.add_row(name, *(f"{row[key]:,.0f} ms" for key in ("first", "p50", "p95")), f"{row['bytes']:,}")
    console.print(table)
    say(f"load of other work when it began: {about['load']:.1f} on {os.cpu_count()} processors")


def _questions(names: Names, now: datetime) -> Iterator[tuple[str, str]]:
    of_workload = f"/watch/workloads/{WORKLOAD}"
    points = f"{of_workload}/series/{quote(names.series, safe='')}/points?to={now:%Y-%m-%dT%H:%M:%SZ}&from="
    yield "me", "/watch/me"
    yield "workloads", "/watch/workloads"
    yield "one workload", of_workload
    yield "incidents that are open", "/watch/incidents?state=open"
    yield "incidents, the newest 50", "/watch/incidents"
    yield "incidents of severity 95 and more", "/watch/incidents?severity_from=95"
    yield "one incident", f"/watch/incidents/{names.incident}"
    yield "series, the first 100", f"{of_workload}/series"
    yield "series that have 777 in their key", f"{of_workload}/series?contains=777"
    yield "a day of a series", f"{points}{now - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    yield "runs", f"{of_workload}/runs"
    yield "releases", f"{of_workload}/releases"
    yield "changes since the page stopped", "/watch/changes?since=e30="


def _measured(settings: Settings, path: str, times: int) -> dict[str, float]:
    seconds, size = [], 0
    for _ in range(times + 1):
        began = time.perf_counter()
        size = len(_get(settings, path))
        seconds.append(1000 * (time.perf_counter() - began))
    first, *warm = seconds
    return {
        "first": first,
        "p50": statistics.median(warm),
        "p95": statistics.quantiles(warm, n=20)[-1],
        "bytes": float(size),
    }


def _get(settings: Settings, path: str) -> bytes:
    url = f"http://{settings.host}:{settings.service_port}{path}"
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # the laptop's own
        body: bytes = answer.read()
    return body


if __name__ == "__main__":
    typer.run(main)
