"""`watchkeeper train`: upload history, start the training workflow, and follow it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import boto3
import typer

from cli.diff import refuse_undeployed
from cli.executions import follow, start, succeeded
from cli.history_check import check_history
from cli.specs import WorkloadName, spec_of
from cli.stacks import Deployment
from lambdas.console.training_runs import execution_input
from watchkeeper.command.screen import done, say
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import RegressionWorkload
from watchkeeper.telemetry.labels import LABELS_NAME, read_labels


def train(
    workload: WorkloadName,
    history: Annotated[
        list[Path] | None,
        typer.Option(help="History to upload first: CSV, JSON or Parquet, also packed."),
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="Labelled anomalies to upload: JSON.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "manual",
    since: Annotated[str | None, typer.Option("--start", help="Train on data from here: ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option("--end", help="Train on data before this: ISO 8601.")] = None,
    watch: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Show the states until the end.")
    ] = True,
) -> None:
    """Train, judge and deploy a workload's model."""
    spec = spec_of(workload)
    if labels is not None and isinstance(spec, RegressionWorkload):
        raise InvalidInputError(f"--labels: workload {spec.name} has none; its target is {spec.target}")
    if history:
        check_history(spec.plan(), history)
    if labels is not None:
        read_labels(labels)
    session = boto3.Session()
    refuse_undeployed(session, spec.plan())
    deployment = Deployment(session)
    for key in upload_history(session, deployment.bucket, spec.name, history or [], labels):
        done(f"uploaded s3://{deployment.bucket}/{key}")
    execution_arn = start(
        session, deployment.state_machine_arn(spec.name), execution_input(reason, since, until)
    )
    say(f"execution: {execution_arn}")
    if watch:
        outcome = succeeded(follow(session, execution_arn))
        for reason in outcome.state.get("decision", {}).get("reasons", ()):
            say(f"  {reason}")
        run = outcome.state["run"]
        if spec.endpoint is None:
            done(f"the scoring loop goes on with run {run['run_id']}")
        else:
            done(f"endpoint {run['names']['endpoint']} serves the new model")


def upload_history(
    session: boto3.Session, bucket: str, workload: str, files: list[Path], labels: Path | None
) -> list[str]:
    """Put files where the workflow reads them and return their keys.

    Raises
    ------
    InvalidInputError
        If a file does not exist, or its name is one that training does not read as history. Nothing is
        uploaded then.
    """
    uploads: list[tuple[Path, str]] = []
    for path in files:
        if path.name == LABELS_NAME or path.name.startswith("."):
            raise InvalidInputError(f"{path}: history is not read under this name: give it another one")
        uploads.append((path, f"{layout.history_prefix(workload)}{path.name}"))
    if labels is not None:
        uploads.append((labels, f"{layout.history_prefix(workload)}{LABELS_NAME}"))
    for path, _ in uploads:
        if not path.is_file():
            raise InvalidInputError(f"{path}: no such file")
    client = session.client("s3")
    for path, key in uploads:
        client.upload_file(str(path), bucket, key)
    return [key for _, key in uploads]
