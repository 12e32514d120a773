"""`watchkeeper preflight`: what a deployment would meet in this account and region, before it is tried."""

from __future__ import annotations

from typing import Annotated

import boto3
import typer

from cli.deployer import Deployer, Stage, StageOption
from cli.preflight.report import examine, show_end, show_finding, write_json
from cli.specs import WORKLOADS, spec_of
from watchkeeper.command.failures import FAILURE
from watchkeeper.spec import load_workloads


def preflight(
    workload: Annotated[str | None, typer.Option(help="Look at what this workload needs only.")] = None,
    stage: StageOption = Stage.AWS,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document.")] = False,
) -> None:
    """Tell what a deployment would meet in this account and region; nothing is changed."""
    session = boto3.Session()
    specs = load_workloads(WORKLOADS) if workload is None else [spec_of(workload)]
    deployer = Deployer(session, stage, None if workload is None else specs[0].name)
    if as_json:
        report = examine(session, specs, deployer.templates)
        write_json(report)
    else:
        report = examine(session, specs, deployer.templates, show_finding)
        show_end(report)
    if report.reds:
        raise typer.Exit(FAILURE)
