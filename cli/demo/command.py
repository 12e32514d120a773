"""`watchkeeper demo`: the whole way, from an empty account to an alert, with real telemetry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import boto3
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.datasets import DATASETS, dataset_of
from cli.demo.chart import draw
from cli.demo.imported import IMPORTED, announcing_bucket, imported
from cli.demo.inbox import Alert, subscribed
from cli.demo.live_data import DemoData, prepared
from cli.demo.regression import demo_regression
from cli.demo.report import Report, boto3_lines, summary
from cli.demo.scores import ScoreReader, expected_intervals, reason_of, wait_until_scored
from cli.demo.stopwatch import Stopwatch
from cli.demo.transactions import demo_transactions
from cli.deployer import Deployer, Stage, StageOption
from cli.device import broker_of
from cli.executions import Outcome, run_to_its_end
from cli.failures import StepFailedError
from cli.freshness import Overridden, told
from cli.metrics import metrics_table
from cli.replay import Authority, Host, Port, publish, sent_as
from cli.simulate import Url
from cli.specs import ROOT, anomaly_spec_of, path_of, spec_of
from cli.stacks import Deployment
from cli.telemetry import records_of
from cli.train import upload_history
from lambdas.adapters.object_store import ObjectUri, S3ObjectStore
from lambdas.console.training_runs import execution_input
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.command.screen import console, say
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.severity import severity_text
from watchkeeper.core.timestamps import in_zone, parse_instant
from watchkeeper.judgement.evaluation import Evaluation, HoldbackRow, Metrics
from watchkeeper.judgement.metrics import measure_scores
from watchkeeper.spec import AnomalyWorkload, FraudWorkload, RegressionWorkload
from watchkeeper.telemetry.labels import Labels
from watchkeeper.telemetry.rows import Row, format_row

FOLDER = ROOT / "build" / "demo"
ALERT_SECONDS = 60.0


def demo(
    workload: Annotated[
        str, typer.Argument(help=f"One of {', '.join([*DATASETS, 'card_fraud'])}.")
    ] = "water_flow",
    stage: StageOption = Stage.AWS,
    folder: Annotated[Path, typer.Option(help="Where the report is written.")] = FOLDER,
    host: Host = None,
    port: Port = None,
    authority: Authority = None,
    freshness: Overridden = None,
    url: Url = None,
) -> None:
    """Deploy, train, publish telemetry over MQTT, and show scores, anomalies and the alert."""
    session = boto3.Session()
    if workload in IMPORTED:
        bucket = announcing_bucket(session, stage is Stage.LAPTOP)
        workload = str(imported(workload, (folder / "workloads").absolute(), bucket))
    spec = spec_of(workload)
    if isinstance(spec, FraudWorkload):
        demo_transactions(session, spec, Deployer(session, stage, spec.name), folder, url)
        return
    dataset = dataset_of(spec.name)
    if isinstance(spec, RegressionWorkload):
        demo_regression(session, spec, dataset, Deployer(session, stage, spec.name), folder)
        return
    spec = anomaly_spec_of(workload, "demo")
    plan = spec.plan()
    deployment = Deployment(session)
    watch = Stopwatch()
    material = prepared(dataset, plan, folder / spec.name)  # a download that fails has deployed nothing
    with watch.stage("deploy"):
        Deployer(session, stage, spec.name, workloads=path_of(workload).parent.absolute()).deploy()
    with watch.stage("upload history"):
        upload_history(session, deployment.bucket, spec.name, [material.history_file], material.labels_file)
    with watch.stage("train"):
        machine = deployment.state_machine_arn(spec.name)
        outcome = run_to_its_end(session, machine, execution_input("demo"))
    with subscribed(session, deployment.alert_topic_arn, spec.name) as inbox:
        with watch.stage("publish over MQTT" if spec.source.topic else "write to the bucket"):
            broker = broker_of(session, host, port, authority)
            publish(session, spec, material.live, broker, None)
            say(f"{len(material.live)} records {sent_as(spec)}")
        with watch.stage("score"):
            scores = _scores(session, deployment, material, plan)
        with watch.stage("alert"):
            alert = inbox.first(ALERT_SECONDS)
    with watch.stage("report"):
        waited = told(spec, freshness)
        report = _report(session, spec, material, outcome, scores, alert, watch, folder, waited)
    _show(report, scores, watch, folder)


def _scores(
    session: boto3.Session, deployment: Deployment, material: DemoData, plan: WorkloadPlan
) -> list[ScoreLine]:
    expected = expected_intervals(records_of(material.live), plan)
    reader = ScoreReader(session, deployment.bucket, plan.workload)
    columns = (TextColumn("scored intervals"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=len(expected))
        scores = wait_until_scored(reader, expected, lambda found: bar.update(task, completed=found))
    say(f"{len(scores)} intervals scored")
    if not any(score.is_anomaly for score in scores):
        raise StepFailedError("no interval of the live telemetry is anomalous, so there is no alert to show")
    return scores


def _report(
    session: boto3.Session,
    spec: AnomalyWorkload,
    material: DemoData,
    outcome: Outcome,
    scores: Sequence[ScoreLine],
    alert: Alert,
    watch: Stopwatch,
    folder: Path,
    waited: str,
) -> Report:
    plan = spec.plan()
    run = outcome.state["run"]
    evaluation = _evaluation(session, run["uris"]["evaluation"])
    chart = folder / f"{spec.name}.png"
    draw(f"{spec.name}: live telemetry", scores, material.labels, chart, plan.timestamp.timezone)
    report = Report(
        workload=spec.name,
        live=live_metrics(scores, material.labels, plan),
        evaluation=evaluation,
        decision=outcome.state["decision"]["reasons"],
        alert=alert,
        timings=tuple(watch.timings),
        waited=waited,
        endpoint=run["names"]["endpoint"] if spec.endpoint else None,
        invocations=invocations(run["names"]["endpoint"], scores[-1]) if spec.endpoint else (),
        chart=chart,
        scores=scores,
        timezone=plan.timestamp.timezone,
    )
    report.write(folder / "report.html")
    return report


def _evaluation(session: boto3.Session, prefix: str) -> Evaluation:
    uri = ObjectUri.parse(f"{prefix}evaluation.json")
    document = S3ObjectStore(session.client("s3")).read(uri)
    if document is None:
        raise StepFailedError(f"the training wrote no {uri}")
    return Evaluation.from_json(document)


def live_metrics(scores: Sequence[ScoreLine], labels: Labels, plan: WorkloadPlan) -> Metrics:
    """Measure the scores of the live telemetry; what needs labels is None where there are none."""
    labelled = any(labels.windows_of(score.series) for score in scores)
    rows = [
        HoldbackRow(
            series=score.series,
            interval_start=score.interval_start,
            value=score.value or 0.0,
            part="test",
            label=labels.of(score.series, score.start, plan.interval_seconds) if labelled else None,
            expected=None,
            lower=None,
            upper=None,
        )
        for score in scores
    ]
    threshold = next(score.threshold for score in scores if score.threshold is not None)
    moved = [threshold if score.threshold is None else score.threshold for score in scores]
    return measure_scores(rows, [score.anomaly_score or 0.0 for score in scores], threshold, plan, moved)


def invocations(endpoint: str, last: ScoreLine) -> list[tuple[str, str]]:
    """Return the lines that score a row with boto3 and with the AWS CLI."""
    row = format_row(Row(parse_instant(last.interval_start), last.series, last.value or 0.0))
    return [
        (
            "boto3",
            boto3_lines(endpoint, row),
        ),
        (
            "AWS CLI",
            f"printf '%s' '{row}' | aws sagemaker-runtime invoke-endpoint --endpoint-name {endpoint} \\\n"
            "    --content-type text/csv --body fileb:///dev/stdin /dev/stdout",
        ),
    ]


def _show(report: Report, scores: Sequence[ScoreLine], watch: Stopwatch, folder: Path) -> None:
    console.rule("[bold]result", align="left", style="dim")
    console.print(metrics_table(report.live))
    say(summary(report.live))
    for score in [score for score in scores if score.is_anomaly][:5]:
        say(
            f"  anomaly: {score.series} at {in_zone(score.start, report.timezone)}, value {score.value:.6g}, "
            f"score {score.anomaly_score:.4g} over {score.threshold:.4g}, "
            f"severity {severity_text(score.severity or 0.0, score.severity_threshold)}\n"
            f"           {reason_of(score)}"
        )
    say("\nthe first alert, as delivered:")
    say(report.alert.text(report.timezone))
    console.print(watch.table())
    say(report.waited)
    if report.endpoint:
        say(f"\nendpoint: {report.endpoint}")
    for name, lines in report.invocations:
        say(f"\n{name}:\n{lines}")
    say(f"\nreport: {folder / 'report.html'}\nchart:  {report.chart}")
