"""Measure the anomaly service's requests on a local cloud of its own."""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import pages
from benchmarks.service.cloud import Service, deployed, given
from benchmarks.service.interruptions import killed, restarted
from benchmarks.service.latency import one_by_one
from benchmarks.service.load import all_at_once
from benchmarks.service.page import Figures, text
from benchmarks.service.tables import KEY, LARGE_KEY, ROWS, upload_table
from benchmarks.service.throughput import measure_throughput
from watchkeeper.client import Client

PAGE = pages.DOCS / "benchmarks-service.md"
TIMEOUT_SECONDS = 300
BURSTS = {
    "": None,
    ", the cloud stopped and started in the middle": restarted,
    ", all its processes killed in the middle": killed,
}


def main(
    single: Annotated[int, typer.Option(min=2, help="Requests one after the other.")] = 20,
    burst: Annotated[int, typer.Option(min=2, help="Requests at once.")] = 50,
    rows: Annotated[int, typer.Option(min=1, help="Rows of an inference.")] = 500_000,
    page: Annotated[Path, typer.Option(help="The page to write.")] = PAGE,
    here: Annotated[
        bool, typer.Option("--here", help="Use the cloud of LOCALCLOUD_HOME and LOCALCLOUD_PORT, as it is.")
    ] = False,
) -> None:
    """Measure times of requests, many of them at once, with restarts in the middle, and rows a second."""
    machine = pages.machine()
    place: AbstractContextManager[Service] = given() if here else deployed()
    with place as service:
        figures = _measured(service, machine, single, burst, rows)
    page.write_text(text(figures))
    typer.echo(page.read_text())
    if not all(each.whole for each in figures.bursts):
        raise typer.Exit(1)


def _measured(service: Service, machine: dict[str, Any], single: int, burst: int, rows: int) -> Figures:
    client = Client(service.front, timeout_seconds=TIMEOUT_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        upload_table(client, Path(folder), KEY, ROWS)
        upload_table(client, Path(folder), LARGE_KEY, rows)
    one_by_one(client, 1)  # the functions' processes start
    alone = one_by_one(client, single)
    throughput = measure_throughput(client, rows)
    bursts = [all_at_once(service, client, burst, name, act) for name, act in BURSTS.items()]
    return Figures(machine, alone, bursts, throughput)


if __name__ == "__main__":
    typer.run(main)
