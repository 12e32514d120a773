"""`watchkeeper invoke`: send rows to a workload's endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import boto3
import typer

from cli.specs import spec_of
from lambdas.adapters.endpoint import SageMakerEndpoint
from watchkeeper.command.screen import console
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import RegressionWorkload


def invoke(
    workload: Annotated[str, typer.Argument(help="Name of a workload, or its file.")],
    row: Annotated[
        str | None, typer.Argument(help="timestamp[,series],value[,lag_1,…]; of a table, its features.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="File with one row a line.")] = None,
) -> None:
    """Ask the model that serves now: one score, or one prediction, a line."""
    rows = _rows(row, file)
    spec = spec_of(workload)
    endpoint = SageMakerEndpoint(boto3.Session().client("sagemaker-runtime"))
    ask = endpoint.predict if isinstance(spec, RegressionWorkload) else endpoint.score
    for answer in ask(layout.endpoint_name(spec.name), rows):
        console.print(repr(answer))


def _rows(row: str | None, file: Path | None) -> list[str]:
    if (row is None) == (file is None):
        raise InvalidInputError("give either a row or --file, for example: '2013-12-02 21:15:00, 75'")
    if row is not None:
        return [row]
    if file is None or not file.is_file():
        raise InvalidInputError(f"{file}: no such file")
    rows = [line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    if not rows:
        raise InvalidInputError(f"{file}: no rows")
    return rows
