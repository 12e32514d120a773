"""`watchkeeper drift`: compare now what a regression model predicts from with its training."""

from __future__ import annotations

from typing import Annotated

import boto3
import typer
from rich.table import Table

from cli.executions import run_to_its_end
from cli.failures import StepFailedError
from cli.stacks import Deployment
from lambdas.adapters.object_store import ObjectUri, S3ObjectStore
from watchkeeper.command.screen import console, say
from watchkeeper.regression.drift import DriftReport


def drift(workload: Annotated[str, typer.Argument(help="A regression workload with explain.drift.")]) -> None:
    """Explain the captured traffic of the last while, and compare it with the training."""
    session = boto3.Session()
    machine = Deployment(session).drift_state_machine_arn(workload)
    outcome = run_to_its_end(session, machine, {"reason": "manual"})
    report_uri = ObjectUri.parse(outcome.state["report_uri"])
    body = S3ObjectStore(session.client("s3")).read(report_uri)
    if body is None:
        raise StepFailedError(f"the monitor wrote no {report_uri}")
    report = DriftReport.from_json(body)
    if report.training:
        console.print(importance_table(report))
    say(report.in_words)
    say(f"report: {report_uri}")


def importance_table(report: DriftReport) -> Table:
    """Return each feature's global importance at the training and now, the most important of then first."""
    table = Table("feature", "training", "recent", title=f"{report.rows} of {report.rows_captured} records")
    for name in sorted(report.training, key=lambda name: -abs(report.training[name])):
        table.add_row(name, f"{report.training[name]:.4g}", f"{report.recent[name]:.4g}")
    return table
