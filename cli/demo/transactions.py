"""The demo of a fraud workload: a generated world is learnt, and goes on live through the API."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import boto3
from rich.table import Table

from cli.demo.regression import fetched
from cli.demo.stopwatch import Stopwatch
from cli.demo.transaction_files import write_history
from cli.demo.transaction_report import TransactionReport, explained, model_rows
from cli.deployer import Deployer
from cli.executions import run_to_its_end
from cli.failures import StepFailedError
from cli.simulate import HISTORY_DAYS, Simulation, client_of, service_url, show
from cli.stacks import Deployment
from cli.train import upload_history
from lambdas.console.training_runs import execution_input
from watchkeeper.client.transactions import PATH
from watchkeeper.command.screen import console, say
from watchkeeper.fraud.evaluation import FraudEvaluation
from watchkeeper.fraud.generator import world_of
from watchkeeper.spec import FraudWorkload

SEED, FRAUD_SHARE = 7, 0.02
RATE, LIVE_SECONDS, CLIENTS = 20.0, 30, 10


def demo_transactions(
    session: boto3.Session, spec: FraudWorkload, deployer: Deployer, folder: Path, url: str | None = None
) -> None:
    """Deploy, train on generated history, send what follows it, and show what was found.

    Raises
    ------
    StepFailedError
        If a step fails, or no transaction is answered.
    """
    deployment, watch, place = Deployment(session), Stopwatch(), folder / spec.name
    world = world_of(SEED, FRAUD_SHARE)
    with watch.stage("deploy"):
        deployer.deploy()
    with watch.stage("upload history"):
        files = write_history(world, HISTORY_DAYS, place / "history")
        upload_history(session, deployment.bucket, spec.name, files, None)
    with watch.stage("train and load the graph"):
        outcome = run_to_its_end(session, deployment.state_machine_arn(spec.name), execution_input("demo"))
    run = outcome.state["run"]
    simulation = Simulation(client_of(session, spec, url, None))
    with watch.stage("simulate"):
        coming = islice(world.stream(HISTORY_DAYS), int(RATE * LIVE_SECONDS))
        simulation.run(coming, rate=RATE, clients=CLIENTS)
    if not simulation.answered:
        raise StepFailedError(f"no transaction was answered: {simulation.report.refused}")
    with watch.stage("report"):
        fetched(session, run["uris"]["evaluation"], place / "evaluation")
        evaluation = FraudEvaluation.from_json((place / "evaluation" / "evaluation.json").read_bytes())
        fields = simulation.answered[-1].transaction.fields
        report = TransactionReport(
            workload=spec.name,
            evaluation=evaluation,
            decision=outcome.state["decision"]["reasons"],
            charts=sorted((place / "evaluation" / "charts").glob("*.png")),
            simulation=simulation,
            invocations=invocations(service_url(session, url), spec.name, fields),
            timings=tuple(watch.timings),
        )
        report.write(place / "report.html")
    _show(report, watch, place / "report.html")


def invocations(url: str, workload: str, fields: dict[str, object]) -> list[tuple[str, str]]:
    """Return the lines that ask the API with curl, and the endpoint's store with boto3."""
    address = f"{url.rstrip('/')}{PATH}?workload={workload}"
    body = json.dumps(fields)
    curl = (
        f"curl -X POST '{address}' \\\n    -H 'Content-Type: application/json' "
        f"-H \"Authorization: Bearer $TOKEN\" \\\n    -d '{body}'"
    )
    python = (
        "import json, boto3\nfrom watchkeeper.client import TransactionClient\n\n"
        'stacks = boto3.client("cloudformation").describe_stacks(StackName="WatchkeeperService")["Stacks"]\n'
        'outputs = {item["OutputKey"]: item["OutputValue"] for item in stacks[0]["Outputs"]}\n'
        f'client = TransactionClient(outputs["ServiceUrl"], "{workload}", token="…")\n'
        f"print(client.decide([json.loads('{body}')]))"
    )
    return [("curl", curl), ("boto3 finds the service, the client asks it", python)]


def _show(report: TransactionReport, watch: Stopwatch, path: Path) -> None:
    console.rule("[bold]result", align="left", style="dim")
    table = Table(box=None, pad_edge=False, title="held-out time", title_justify="left")
    for column in ("model", "PR-AUC", "95 %", "ROC-AUC", "95 %", "precision", "recall", "F1"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for row in model_rows(report.evaluation):
        table.add_row(*row)
    console.print(table)
    for reason in report.decision:
        say(f"  gate: {reason}")
    show(report.simulation)
    say("\none fraud, explained:")
    say(explained(report.simulation))
    console.print(watch.table())
    for name, lines in report.invocations:
        say(f"\n{name}:\n{lines}")
    say(f"\nreport: {path}")
