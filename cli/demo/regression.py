"""The demo of a regression workload: train, explain, deploy, and show why the model predicts what it does."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from rich.table import Table

from cli.datasets import Dataset, located
from cli.demo.report import boto3_lines
from cli.demo.stopwatch import Stopwatch
from cli.deployer import Deployer
from cli.executions import run_to_its_end
from cli.failures import StepFailedError
from cli.metrics import metrics_table
from cli.stacks import Deployment
from cli.train import upload_history
from lambdas.adapters.endpoint import SageMakerEndpoint
from lambdas.adapters.object_store import ObjectUri
from lambdas.console.training_runs import execution_input
from watchkeeper.command.screen import console, say
from watchkeeper.regression.evaluation import RegressionEvaluation
from watchkeeper.regression.importance import global_importance
from watchkeeper.regression.rows import format_cells
from watchkeeper.spec import RegressionWorkload
from watchkeeper.telemetry.payloads import csv_records

LOCAL_CHART = "local_explanation_*.png"


@dataclass(frozen=True)
class Prediction:
    """One held-back row, asked through the endpoint."""

    row: str
    predicted: float
    actual: float


def demo_regression(
    session: boto3.Session, spec: RegressionWorkload, dataset: Dataset, deployer: Deployer, folder: Path
) -> None:
    """Deploy, train state by state, and show metrics, importance, charts and a prediction.

    Raises
    ------
    StepFailedError
        If a step fails, or the training left no explanation.
    """
    deployment, watch = Deployment(session), Stopwatch()
    place = folder / spec.name
    history = history_file(dataset, place)  # a download that fails has deployed nothing
    with watch.stage("deploy"):
        deployer.deploy()
    with watch.stage("upload history"):
        upload_history(session, deployment.bucket, spec.name, [history], None)
    with watch.stage("train and explain"):
        machine = deployment.state_machine_arn(spec.name)
        outcome = run_to_its_end(session, machine, execution_input("demo"))
    run = outcome.state["run"]
    with watch.stage("fetch the report"):
        fetched(session, run["uris"]["evaluation"], place / "evaluation")
        explained = fetched(session, run["uris"]["explanations"], place / "explanations")
        fetched(session, run["uris"]["explain_rows"], place / "explained-rows")
    if explained == 0:
        raise StepFailedError(f"the training left no explanation: {outcome.state.get('explanation')}")
    with watch.stage("predict"):
        prediction = predict_first(session, run, place / "explained-rows" / "rows.csv")
    _show(place, outcome.state, prediction, watch)


def history_file(dataset: Dataset, folder: Path) -> Path:
    """Copy the data under a name that tells its format, and return it."""
    source = located(dataset.history)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{source.stem}.csv"
    shutil.copyfile(source, target)
    return target


def fetched(session: boto3.Session, prefix: str, folder: Path) -> int:
    """Copy every object under a prefix into a folder, which is emptied first; return how many there are."""
    shutil.rmtree(folder, ignore_errors=True)
    location, client, count = ObjectUri.parse(prefix), session.client("s3"), 0
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=location.bucket, Prefix=location.key)
    for page in pages:
        for found in page.get("Contents", []):
            target = folder / found["Key"].removeprefix(location.key)
            target.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(location.bucket, found["Key"], str(target))
            count += 1
    return count


def predict_first(session: boto3.Session, run: dict[str, Any], rows: Path) -> Prediction:
    """Ask the endpoint about the first row that was explained."""
    target, *features = next(csv_records(rows.read_text().splitlines()))
    row = format_cells(features)
    endpoint = SageMakerEndpoint(session.client("sagemaker-runtime"))
    (predicted,) = endpoint.predict(run["names"]["endpoint"], [row])
    return Prediction(row, predicted, float(target))


def importance_table(importance: dict[str, float]) -> Table:
    """Lay out the global importance of each feature, with its share and a bar."""
    table = Table(box=None, pad_edge=False)
    table.add_column("feature")
    table.add_column("importance", justify="right")
    table.add_column("share", justify="right")
    table.add_column("")
    total = sum(map(abs, importance.values())) or 1.0
    for name, value in importance.items():
        share = abs(value) / total
        table.add_row(name, f"{value:.4g}", f"{share:.0%}", "█" * round(40 * share))
    return table


def _show(place: Path, state: dict[str, Any], prediction: Prediction, watch: Stopwatch) -> None:
    run = state["run"]
    explanations = place / "explanations"
    evaluation = RegressionEvaluation.from_json((place / "evaluation" / "evaluation.json").read_bytes())
    console.rule("[bold]result", align="left", style="dim")
    console.print(metrics_table(evaluation.candidate))
    for reason in state["decision"]["reasons"]:
        say(f"  gate: {reason}")
    say(f"\n{state['explanation']['summary']}")
    console.print(importance_table(global_importance((explanations / "analysis.json").read_bytes())))
    say(_method(explanations / "explain.json"))
    say(f"\nprediction for {prediction.row}: {prediction.predicted:.4g}, actual {prediction.actual:g}")
    console.print(watch.table())
    say(f"\nendpoint: {run['names']['endpoint']}")
    say(f"\nboto3:\n{boto3_lines(run['names']['endpoint'], prediction.row)}")
    say(f"\nreport: {explanations / 'report.html'}\n        {explanations / 'report.pdf'}")
    for title, charts in (
        ("local explanations of examples", sorted((explanations / "charts").glob(LOCAL_CHART))),
        ("errors", sorted((place / "evaluation" / "charts").glob("*.png"))),
    ):
        say(f"{title}:")
        for chart in charts:
            say(f"        {chart}")


def _method(path: Path) -> str:
    shap = json.loads(path.read_bytes()).get("shap") or {}
    return (
        f"SHAP values by {shap.get('method')}: largest difference between a prediction and its parts "
        f"{shap.get('additivity_error', float('nan')):.1e}"
    )
