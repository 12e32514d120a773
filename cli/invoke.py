"""`watchkeeper invoke`: send rows to a workload's endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import boto3
import typer

from cli.request_rows import read_request_rows
from cli.serving import asking
from cli.specs import WorkloadName, spec_of
from lambdas.adapters.endpoint import SageMakerEndpoint
from watchkeeper.command.screen import console, errors
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import AnomalyWorkload, FraudWorkload, RegressionWorkload


def invoke(
    workload: WorkloadName,
    row: Annotated[
        str | None,
        typer.Argument(
            help="timestamp[,series],value[,lag_1,…], or a value alone; of a table, its features."
        ),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="File of rows: CSV or JSON, also packed.")] = None,
) -> None:
    """Ask the model that serves now: one score, or one prediction, a line."""
    spec = spec_of(workload)
    if spec.endpoint is None:
        raise InvalidInputError(
            f"workload {spec.name} has no endpoint: its detector learns in the scoring loop. "
            "`watchkeeper score` scores a file with it; `endpoint: {}` in the workload's file makes one"
        )
    if isinstance(spec, FraudWorkload):
        raise InvalidInputError(
            f"workload {spec.name}: its endpoint takes a transaction together with its neighbours, which the "
            "API looks up: POST /fraud/transactions"
        )
    rows = _rows(row, file, spec)
    session = boto3.Session()
    endpoint = SageMakerEndpoint(session.client("sagemaker-runtime"))
    ask = endpoint.predict if isinstance(spec, RegressionWorkload) else endpoint.score
    with asking(session, spec.name) as name:
        answers = ask(name, rows)
    for answer in answers:
        console.print(repr(answer))


def _rows(row: str | None, file: Path | None, spec: AnomalyWorkload | RegressionWorkload) -> list[str]:
    if (row is None) == (file is None):
        raise InvalidInputError("give either a row or --file, for example: '2013-12-02 21:15:00, 75'")
    if row is not None:
        return [row]
    if file is None:
        return []
    features = spec.plan().feature_names if isinstance(spec, RegressionWorkload) else None
    rows = read_request_rows(file, spec.history.dialect(), features)
    errors.print(f"{file}: {len(rows):,} rows", soft_wrap=True)
    return rows
