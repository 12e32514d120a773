"""`watchkeeper backtest`: what the model that serves now would have said of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer

from cli.metrics import metrics_table, say_read
from cli.serving import asking, no_model_serves
from cli.specs import WorkloadName, spec_of
from cli.stacks import Deployment
from cli.telemetry import instant_of, read_telemetry, records_of
from lambdas.adapters.endpoint import SageMakerEndpoint
from watchkeeper.command.screen import console, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.detectors.streaming.state import Parameters
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.judgement.metrics import measure_part
from watchkeeper.kinds import AnyRelease, anomaly_plan, release_from_json
from watchkeeper.lifecycle.release import Release, StreamModel, live_key
from watchkeeper.regression.evaluation import measure_predictions
from watchkeeper.regression.history import read_history
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.split import LabelledRow
from watchkeeper.spec import RegressionWorkload
from watchkeeper.telemetry.cells import names_shown
from watchkeeper.telemetry.context import rows_of
from watchkeeper.telemetry.decoding import open_file
from watchkeeper.telemetry.intervals import aggregate_records
from watchkeeper.telemetry.labels import Labels, read_labels
from watchkeeper.telemetry.rows import format_row
from watchkeeper.telemetry.tally import Tally


def backtest(
    workload: WorkloadName,
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Telemetry, or a table with its target: CSV, JSON or Parquet, also packed."),
    ] = None,
    labels: Annotated[Path | None, typer.Option(help="Labelled anomalies: JSON.")] = None,
    verdicts: Annotated[
        Path | None,
        typer.Option(
            help="With --compare: what was said of incidents, as `feedback --list --json` writes it; both "
            "versions are judged by the thresholds that it moves."
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            help="Compare with this version: a git ref, or another workload file. Nothing has to be deployed."
        ),
    ] = None,
    history: Annotated[
        list[Path] | None,
        typer.Option(help="With --compare: telemetry to judge, a file or folder; repeat it, or name files."),
    ] = None,
    kept_scores: Annotated[
        Path | None,
        typer.Option(
            "--scores",
            help="With --compare, in place of --history: kept scores, as `watchkeeper export` writes them. "
            "Both versions judge them, and no endpoint is asked.",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="With --compare: judge from this time on, ISO 8601.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="With --compare: judge before this time.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --compare: write one JSON document.")] = False,
    markdown: Annotated[
        Path | None, typer.Option(help="With --compare: Markdown to write, for a pull request.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="With --compare: PNG to draw.")] = None,
) -> None:
    """Measure what the live model says of a file; or, with --compare, what two versions of a workload say.

    Nothing is stored, nobody is alerted.
    """
    if compare is not None:
        from cli.comparison.command import Wanted
        from cli.comparison.command import compare as compare_versions

        compare_versions(
            Wanted(
                before=compare,
                workload=workload,
                history=[*(history or []), *(files or [])],
                scores=kept_scores,
                labels=labels,
                verdicts=verdicts,
                since=instant_of(since, "--from"),
                until=instant_of(until, "--to"),
                as_json=as_json,
                markdown=markdown,
                plot=plot,
            )
        )
        return
    given: dict[str, object] = {
        "--history": history,
        "--scores": kept_scores,
        "--from": since,
        "--to": until,
        "--json": as_json,
    }
    given |= {"--markdown": markdown, "--plot": plot, "--verdicts": verdicts}
    alone = [name for name, value in given.items() if value]
    if alone:
        raise InvalidInputError(f"{', '.join(alone)}: only with --compare, which names a git ref or a file")
    if files is None or len(files) != 1:
        raise InvalidInputError("name one file for the live model to answer about, or a version to --compare")
    [file] = files
    spec = spec_of(workload)
    if isinstance(spec, RegressionWorkload):
        if labels is not None:
            raise InvalidInputError(f"--labels: workload {spec.name} has none; its target is {spec.target}")
        backtest_table(spec.plan(), file)
        return
    plan = anomaly_plan(spec.plan())
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
    new = [] if release.stream is not None else sorted(set(values).difference(release.step_scales))
    if new:
        say(f"{len(new)} series not counted, the live model has not seen them: {names_shown(new)}")
    rows = list(backtest_rows({name: values[name] for name in values if name not in new}, plan, known))
    if release.stream is not None:
        said = streamed_scores(values, release.stream, plan)
        scores = [score for score, _ in said]
        rows = [
            (replace(row, expected=expected), request)
            for (row, request), (_, expected) in zip(rows, said, strict=True)
        ]
    else:
        endpoint = SageMakerEndpoint(session.client("sagemaker-runtime"))
        scores = answers_of(endpoint.score, release.endpoint, [request for _, request in rows])
    metrics = measure_part([row for row, _ in rows], scores, release.threshold, plan, "test")
    console.print(metrics_table(metrics))


def backtest_rows(
    series_values: Mapping[str, Sequence[tuple[int, float]]], plan: WorkloadPlan, labels: Labels | None
) -> Iterator[tuple[HoldbackRow, str]]:
    """Return each interval with the endpoint's request row, as training and scoring make it."""
    for series, values in series_values.items():
        for row in rows_of(values, plan):
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


def streamed_scores(
    series_values: Mapping[str, Sequence[tuple[int, float]]], model: StreamModel, plan: WorkloadPlan
) -> list[tuple[float, float]]:
    """Return the score and the expected value that the live streaming detector has for each interval, each
    series from its first on."""
    given: dict[str, Any] = model.parameters
    found: list[tuple[float, float]] = []
    for values in series_values.values():
        detector = WatchkeeperDetector(interval_seconds=plan.interval_seconds, parameters=Parameters(**given))
        times = [float(start) for start, _ in values]
        said = detector.update_all([value for _, value in values], timestamps=times)
        found += zip(said.anomaly_score.tolist(), said.expected.tolist(), strict=True)
    return found


def answers_of(
    ask: Callable[[str, Sequence[str]], Sequence[float]], name: str, requests: Sequence[str]
) -> list[float]:
    """Ask an endpoint for its answers to request rows, in batches, in order."""
    answers: list[float] = []
    for start in range(0, len(requests), BATCH_ROWS):
        answers += ask(name, requests[start : start + BATCH_ROWS])
    return answers


def live_release(session: boto3.Session, deployment: Deployment, workload: str) -> AnyRelease:
    """Return a workload's published release.

    Raises
    ------
    StepFailedError
        If no model serves.
    """
    key = {name: {"S": value} for name, value in live_key(workload).items()}
    table = deployment.series_table
    item = session.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    if item is None:
        raise no_model_serves(workload)
    return release_from_json(item["document"]["S"])


def live_detector(session: boto3.Session, deployment: Deployment, workload: str) -> Release:
    """Return the published release of a workload that watches telemetry; see `live_release`.

    Raises
    ------
    InvalidInputError
        If what serves is of another kind: the workload has changed since.
    """
    release = live_release(session, deployment, workload)
    if isinstance(release, Release):
        return release
    raise InvalidInputError(f"workload {workload}: the model that serves is a {release.kind}; train it again")


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
    session = boto3.Session()
    endpoint = SageMakerEndpoint(session.client("sagemaker-runtime"))
    with asking(session, plan.workload) as name:
        predictions = answers_of(endpoint.predict, name, [row for _, row in rows])
    console.print(metrics_table(measure_predictions([target for target, _ in rows], predictions)))


def read_labelled(plan: RegressionPlan, file: Path) -> tuple[list[tuple[float, str]], Tally]:
    """Return the target and the request row of each line, and what became of the other lines."""
    rows: list[tuple[float, str]] = []
    tally = Tally()
    with open_file(file) as stream:
        for number, _, row in read_history(stream, plan, file.name):
            if isinstance(row, LabelledRow):
                tally.accept()
                rows.append((row.target, row.request()))
            else:
                tally.refuse(row, file.name, number)
    return rows, tally
