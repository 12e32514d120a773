"""What the regressor that serves now would have predicted of a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import boto3

from cli.metrics import metrics_table, say_read
from lambdas.adapters.endpoint import SageMakerEndpoint
from watchkeeper.command.screen import console
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.evaluation import measure_predictions
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.rows import check_columns, format_cells, labelled_row
from watchkeeper.telemetry.dialect import Fields, read_fields
from watchkeeper.telemetry.tally import Tally

BATCH_ROWS = 500


def backtest_table(plan: RegressionPlan, file: Path) -> None:
    """Predict every row of a file and compare with its target.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, or has no row with a target.
    """
    rows, tally = read_labelled(plan, file)
    say_read(file, tally, "rows")
    if not rows:
        raise InvalidInputError(f"{file}: not one row: {tally.sentence('rows')}")
    endpoint = SageMakerEndpoint(boto3.Session().client("sagemaker-runtime"))
    name = layout.endpoint_name(plan.workload)
    predictions: list[float] = []
    for start in range(0, len(rows), BATCH_ROWS):
        predictions += endpoint.predict(name, [row for _, row in rows[start : start + BATCH_ROWS]])
    console.print(metrics_table(measure_predictions([target for target, _ in rows], predictions)))


def read_labelled(plan: RegressionPlan, file: Path) -> tuple[list[tuple[float, str]], Tally]:
    """Return the target and the request row of each line, and what became of the other lines."""
    if not file.is_file():
        raise InvalidInputError(f"{file}: no such file")
    rows: list[tuple[float, str]] = []
    tally = Tally()
    with file.open("rb") as stream:
        check = partial(check_columns, plan=plan, name=file.name)
        for number, _, fields in read_fields(
            stream,
            file.name,
            check_header=check,
            headers=plan.history.headers,
            dialect=plan.history.dialect,
        ):
            row = _row(fields, plan)
            if isinstance(row, InvalidInputError):
                tally.refuse(row, file.name, number)
            else:
                tally.accept()
                rows.append(row)
    return rows, tally


def _row(fields: Fields | InvalidInputError, plan: RegressionPlan) -> tuple[float, str] | InvalidInputError:
    if isinstance(fields, InvalidInputError):
        return fields
    try:
        target, features = labelled_row(fields, plan)
    except InvalidInputError as error:
        return error
    return target, format_cells(features)
