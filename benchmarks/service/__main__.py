"""Measure the anomaly service's requests on a local cloud of its own."""

from __future__ import annotations

import os
import tempfile
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.service.cloud import Service, deployed, given
from benchmarks.service.load import Burst, Latency, all_at_once, one_by_one, upload_table
from cli.specs import ROOT
from watchkeeper.client import Client

TEMPLATE = Path(__file__).with_name("page.md")
PAGE = ROOT / "docs" / "benchmarks-service.md"
COMMAND = "make bench-service"
TIMEOUT_SECONDS = 300


def main(
    single: Annotated[int, typer.Option(min=2, help="Requests one after the other.")] = 20,
    burst: Annotated[int, typer.Option(min=2, help="Requests at once.")] = 50,
    page: Annotated[Path, typer.Option(help="The page to write.")] = PAGE,
    here: Annotated[
        bool, typer.Option("--here", help="Use the cloud that AWS_ENDPOINT_URL points at, as it is.")
    ] = False,
) -> None:
    """Measure from a POST to the started task, and many train requests at once."""
    load = os.getloadavg()[0]
    place: AbstractContextManager[Service] = given() if here else deployed()
    with place as service, tempfile.TemporaryDirectory() as folder:
        client = Client(service.front, timeout_seconds=TIMEOUT_SECONDS)
        upload_table(client, Path(folder))
        one_by_one(client, 1)  # the functions' processes start
        latency = one_by_one(client, single)
        many = all_at_once(service, client, burst)
    page.write_text(text(latency, many, load))
    typer.echo(page.read_text())
    if many.finished != many.asked or many.executions != many.asked:
        raise typer.Exit(1)


def text(latency: Latency, burst: Burst, load: float) -> str:
    """Return the page."""
    return TEMPLATE.read_text().format(
        command=COMMAND,
        date=datetime.now(timezone.utc).date().isoformat(),
        load=load,
        latency=latency,
        burst=burst,
    )


if __name__ == "__main__":
    typer.run(main)
