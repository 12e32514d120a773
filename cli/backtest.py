"""`watchkeeper backtest`: what the model that serves now would have said of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import boto3
import typer

from cli.metrics import metrics_table, say_read
from cli.regression.backtest import backtest_table
from cli.releases import live_detector
from cli.specs import spec_of
from cli.stacks import Deployment
from cli.telemetry import read_telemetry, records_of
from lambdas.adapters.endpoint import Endpoint, SageMakerEndpoint
from watchkeeper.command.screen import console, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.judgement.metrics import measure_part
from watchkeeper.spec import RegressionWorkload
from watchkeeper.telemetry.context import rows_of
from watchkeeper.telemetry.intervals import aggregate_records
from watchkeeper.telemetry.labels import Labels, read_labels
from watchkeeper.telemetry.rows import format_row
from watchkeeper.telemetry.series import measure_of

BATCH_ROWS = 500


def backtest(
    workload: Annotated[str, typer.Argument(help="Name of a workload, or its file.")],
    file: Annotated[
        Path, typer.Argument(help="Telemetry, or a table with its target: CSV, JSON or Parquet, also packed.")
    ],
    labels: Annotated[Path | None, typer.Option(help="Labelled anomalies: JSON.")] = None,
) -> None:
    """Ask the live endpoint about a file and measure the answers; nothing is stored, nobody is alerted."""
    spec = spec_of(workload)
    if isinstance(spec, RegressionWorkload):
        if labels is not None:
            raise InvalidInputError(f"--labels: workload {spec.name} has none; its target is {spec.target}")
        backtest_table(spec.plan(), file)
        return
    plan = spec.plan()
    telemetry = read_telemetry(file, plan)
    say_read(file, telemetry.tally, notes=telemetry.notes)
    values = aggregate_records(records_of(telemetry.readings), plan)
    known = None
    if labels is not None:
        starts = {series: [start for start, _ in of_series] for series, of_series in values.items()}
        known, unmet = read_labels(labels).fitted(
            starts, plan.interval_seconds, {series: {file.name} for series in values}
        )
        say(unmet) if unmet else None
    session = boto3.Session()
    release = live_detector(session, Deployment(session), plan.workload)
    rows = list(backtest_rows(values, plan, known))
    endpoint = SageMakerEndpoint(session.client("sagemaker-runtime"))
    scores = score_all(endpoint, release.endpoint, [request for _, request in rows])
    metrics = measure_part([row for row, _ in rows], scores, release.threshold, plan, "test")
    console.print(metrics_table(metrics))


def backtest_rows(
    series_values: Mapping[str, Sequence[tuple[int, float]]], plan: WorkloadPlan, labels: Labels | None
) -> Iterator[tuple[HoldbackRow, str]]:
    """Return each interval with the endpoint's request row, as training and scoring make it."""
    for series, values in series_values.items():
        for row in rows_of(values, measure_of(series, plan).aggregate, plan):
            known = HoldbackRow(
                series=series,
                interval_start=format_instant(row.interval_start),
                value=row.value,
                part="test",
                label=None
                if labels is None
                else labels.of(series, row.interval_start, plan.interval_seconds),
                expected=row.expected,
                lower=None,
                upper=None,
            )
            yield known, format_row(row.row(series))


def score_all(endpoint: Endpoint, name: str, requests: Sequence[str]) -> list[float]:
    """Score request rows in batches, in order."""
    scores: list[float] = []
    remaining = iter(requests)
    while batch := list(islice(remaining, BATCH_ROWS)):
        scores += endpoint.score(name, batch)
    return scores
