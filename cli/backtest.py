"""`watchkeeper backtest`: what the model that serves now would have said of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import boto3
import typer
from rich.table import Table

from cli.labels import Labels, read_labels
from cli.releases import live_release
from cli.screen import console
from cli.specs import anomaly_spec_of
from cli.stacks import Deployment
from cli.telemetry import read_telemetry, records_of
from lambdas.endpoint import Endpoint, SageMakerEndpoint
from watchkeeper.context import rows_of
from watchkeeper.evaluation import Metrics
from watchkeeper.evaluation_metrics import measure_part
from watchkeeper.holdback import HoldbackRow
from watchkeeper.intervals import aggregate_records
from watchkeeper.plan import WorkloadPlan
from watchkeeper.records import Record
from watchkeeper.rows import format_row
from watchkeeper.series import measure_of
from watchkeeper.timestamps import format_instant

BATCH_ROWS = 500


def backtest(
    workload: Annotated[str, typer.Argument(help="Name of a workload, or its file.")],
    file: Annotated[Path, typer.Argument(help="Telemetry: CSV or JSON lines, each also with .gz.")],
    labels: Annotated[Path | None, typer.Option(help="Labelled anomalies: JSON.")] = None,
) -> None:
    """Score a file with the live endpoint and measure the result; nothing is stored, nobody is alerted."""
    plan = anomaly_spec_of(workload, "backtest").plan()
    telemetry = read_telemetry(file, plan)
    session = boto3.Session()
    release = live_release(session, Deployment(session), plan.workload)
    rows = list(backtest_rows(records_of(telemetry.readings), plan, read_labels(labels) if labels else None))
    endpoint = SageMakerEndpoint(session.client("sagemaker-runtime"))
    scores = score_all(endpoint, release.endpoint, [request for _, request in rows])
    metrics = measure_part([row for row, _ in rows], scores, release.threshold, plan, "test")
    console.print(metrics_table(metrics))
    if telemetry.refused:
        console.print(f"{len(telemetry.refused)} lines were not readings; the first: {telemetry.refused[0]}")


def backtest_rows(
    records: Iterable[Record], plan: WorkloadPlan, labels: Labels | None
) -> Iterator[tuple[HoldbackRow, str]]:
    """Return each interval with the endpoint's request row, as training and scoring make it."""
    for series, values in aggregate_records(records, plan).items():
        for row in rows_of(values, measure_of(series, plan).aggregate, plan):
            known = HoldbackRow(
                series=series,
                interval_start=format_instant(row.interval_start),
                value=row.value,
                part="test",
                label=None
                if labels is None
                else labels.is_anomalous(series, row.interval_start, plan.interval_seconds),
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


def metrics_table(metrics: Metrics) -> Table:
    """Lay out metrics; those that need labels are left out where there are none."""
    table = Table(box=None, show_header=False)
    for name, value in vars(metrics).items():
        if value is not None:
            table.add_row(name.replace("_", " "), f"{value:.4g}" if isinstance(value, float) else str(value))
    return table
