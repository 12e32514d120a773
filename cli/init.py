"""`watchkeeper init` of a checkout: files of S3 too, and the workload where the other verbs look for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import boto3
import typer

from cli.files import is_remote, local_files
from cli.specs import ROOT, WORKLOADS
from watchkeeper.command.init import (
    AlertsPerWeek,
    Force,
    Name,
    Output,
    Timezone,
    place_of,
    write_workload,
)
from watchkeeper.command.screen import say

DOWNLOADS = ROOT / "build" / "downloads"


def init(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Telemetry with the same columns: CSV, JSON or Parquet; of S3, s3://BUCKET/KEY or a prefix."
        ),
    ],
    name: Name = None,
    output: Output = None,
    alerts_per_week: AlertsPerWeek = None,
    timezone: Timezone = None,
    force: Force = False,
) -> None:
    """Look at files of telemetry and write a workload for them."""
    remote = any(map(is_remote, files))
    found = local_files(boto3.Session() if remote else None, files, DOWNLOADS)
    called, path = place_of(name, output, found[0].name, WORKLOADS)
    sources = [each if is_remote(each) else str(Path(each).absolute()) for each in files]
    write_workload(
        found,
        called,
        path,
        alerts_per_week=alerts_per_week,
        timezone=timezone,
        force=force,
        sources=sources,
    )
    if path.parent.absolute() == WORKLOADS:
        say(f"next: watchkeeper up {called}")
    else:
        say(f"next: watchkeeper up {called}, with WATCHKEEPER_WORKLOADS={path.parent.absolute()}")
