"""`watchkeeper preflight`: what a deployment would meet in this account and region, before it is tried."""

from __future__ import annotations

from typing import Annotated

import boto3
import typer

from cli.deploy import Deployer, Stage
from cli.preflight.report import examine, show_end, show_finding, write_json
from cli.specs import WORKLOADS
from watchkeeper.command.failures import FAILURE
from watchkeeper.spec import load_workloads


def preflight(
    stage: Annotated[Stage, typer.Option(help="The stage that would be deployed.")] = Stage.AWS,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document.")] = False,
) -> None:
    """Tell what a deployment would meet in this account and region; nothing is changed."""
    session = boto3.Session()
    deployer = Deployer(session, stage)
    if as_json:
        report = examine(session, load_workloads(WORKLOADS), deployer.templates)
        write_json(report)
    else:
        report = examine(session, load_workloads(WORKLOADS), deployer.templates, show_finding)
        show_end(report)
    if report.reds:
        raise typer.Exit(FAILURE)
