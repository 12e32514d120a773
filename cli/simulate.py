"""`watchkeeper simulate`: customers who pay and some who defraud, live through the fraud API."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from rich.live import Live
from rich.table import Table

from cli.specs import fraud_spec_of
from cli.stacks import Deployment
from watchkeeper.client import ServiceProblemError, TransactionClient
from watchkeeper.command.screen import console, done, say
from watchkeeper.core.errors import UnavailableError
from watchkeeper.fraud.generator import GeneratedTransaction, world_of
from watchkeeper.fraud.simulation import Answered, SimulationReport, percentile
from watchkeeper.spec import FraudWorkload

HISTORY_DAYS = 60
"""Of the world that the demo trains on: a simulation goes on after them."""
SHOWN = 14
"""Rows of the live table."""
REFRESHES_PER_SECOND = 4
_BAR = 20

Url = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="WATCHKEEPER_SERVICE_URL", help="Of the service; without it, the stack's output."
    ),
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="WATCHKEEPER_TOKEN", help="ID token; `watchkeeper token` writes one."),
]


def simulate(
    workload: Annotated[str, typer.Argument(help="Name of a fraud workload, or its file.")],
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Transactions a second.")] = 20.0,
    fraud_share: Annotated[float, typer.Option(min=0, max=0.2, help="Share of the transactions.")] = 0.02,
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same world.")] = 7,
    seconds: Annotated[float, typer.Option(min=1, help="How long.")] = 60.0,
    day: Annotated[int, typer.Option(min=0, help="Day of the world on which it begins.")] = HISTORY_DAYS,
    clients: Annotated[int, typer.Option(min=1, max=100, help="Requests at the same time.")] = 10,
    report: Annotated[Path | None, typer.Option(help="Where the report is written: JSON.")] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Send transactions of a generated world, and compare the answers with the truth that only this knows."""
    spec = fraud_spec_of(workload, "simulate")
    world = world_of(seed, fraud_share)
    simulation = Simulation(client_of(boto3.Session(), spec, url, token))
    simulation.run(islice(world.stream(day), int(rate * seconds)), rate=rate, clients=clients)
    show(simulation)
    if report is not None:
        report.write_text(json.dumps(simulation.to_dict(), indent=2) + "\n")
        done(f"report: {report}")


def service_url(session: boto3.Session, url: str | None) -> str:
    """Return where the service is: the address that is given, or the stack's."""
    return url or Deployment(session).output("WatchkeeperService", "ServiceUrl")


def client_of(
    session: boto3.Session, spec: FraudWorkload, url: str | None, token: str | None
) -> TransactionClient:
    """Return a client of the deployed service, or of the one at an address."""
    return TransactionClient(service_url(session, url), spec.name, token=token)


@dataclass
class Simulation:
    """Sends transactions at a rate, and keeps the answers."""

    client: TransactionClient
    report: SimulationReport = field(default_factory=SimulationReport)
    answered: list[Answered] = field(default_factory=list)

    def run(
        self,
        transactions: Iterable[GeneratedTransaction],
        *,
        rate: float,
        clients: int,
    ) -> None:
        """Send each transaction at its time, by several clients, and show the answers as they come."""
        last: deque[Answered] = deque(maxlen=SHOWN)
        with (
            ThreadPoolExecutor(clients) as pool,
            Live(console=console, refresh_per_second=REFRESHES_PER_SECOND, transient=True) as screen,
        ):
            waiting: deque[Future[Answered]] = deque()
            for transaction in _paced(transactions, rate):
                waiting.append(pool.submit(self._ask, transaction))
                self._collect(waiting, last, only_done=True)
                screen.update(decisions_table(last, self.report))
            self._collect(waiting, last, only_done=False)
            screen.update(decisions_table(last, self.report))

    def to_dict(self) -> dict[str, Any]:
        """Return the report with the latencies."""
        return {**self.report.to_dict(), "latency_seconds": self.latencies()}

    def latencies(self) -> dict[str, float]:
        """Return percentiles of the time from request to answer, seconds."""
        seconds = [each.seconds for each in self.answered]
        return {name: percentile(seconds, share) for name, share in PERCENTILES.items()} if seconds else {}

    def _ask(self, transaction: GeneratedTransaction) -> Answered:
        began = time.perf_counter()
        (answer,) = self.client.decide([transaction.fields])
        return Answered(transaction, answer, time.perf_counter() - began)

    def _collect(self, waiting: deque[Future[Answered]], last: deque[Answered], *, only_done: bool) -> None:
        while waiting and (waiting[0].done() or not only_done):
            try:
                answered = waiting.popleft().result()
            except ServiceProblemError as error:
                self.report.refuse(error.reason or str(error.status))
                continue
            except UnavailableError as error:
                self.report.refuse(str(error))
                continue
            self.report.add(answered)
            self.answered.append(answered)
            last.append(answered)


PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def decisions_table(last: Iterable[Answered], report: SimulationReport) -> Table:
    """Lay out the latest decisions, the newest last."""
    table = Table(title=f"{report.sent} answered, {report.flagged} flagged", title_justify="left", box=None)
    for column in ("transaction", "amount", "probability of fraud", "", "because of"):
        table.add_column(column, justify="right" if column == "amount" else "left", no_wrap=True)
    for each in last:
        answer = each.answer
        share = float(answer["pred_prob"])
        colour = "red" if answer["flag"] else "green"
        table.add_row(
            str(answer["id"]),
            f"{each.transaction.fields['TransactionAmt']:.2f}",
            f"[{colour}]{'█' * round(_BAR * share):<{_BAR}}[/] {share:.3f}",
            "[bold red]flagged[/]" if answer["flag"] else "",
            strongest_reason(answer),
        )
    return table


def strongest_reason(answer: Any) -> str:
    """Return in words which relation moved the probability most; empty where none raised it."""
    reasons = [reason for reason in answer["reasons"] if reason["contribution"] > 0]
    if not reasons:
        return ""
    most = max(reasons, key=lambda reason: float(reason["contribution"]))
    return f"{most['relation']} {most['entity']} (+{most['contribution']:.3f})"


def show(simulation: Simulation) -> None:
    """Say what a simulation found."""
    report = simulation.report
    console.print(report_table(report))
    say(summary(report))
    say(latency_text(simulation))
    for reason, count in report.refused.items():
        say(f"{count} requests were not answered: {reason}")


def latency_text(simulation: Simulation) -> str:
    """Return in words how long answers took."""
    told = ", ".join(f"{name} {1000 * each:.1f} ms" for name, each in simulation.latencies().items())
    return f"Latency at the client, everything included: {told or 'no answer'}."


def report_table(report: SimulationReport) -> Table:
    """Lay out how each scenario was answered."""
    table = Table(box=None, pad_edge=False)
    for column in ("scenario", "sent", "flagged", "share"):
        table.add_column(column, justify="left" if column == "scenario" else "right")
    for name, count in report.by_scenario.items():
        share = f"{count.flagged / count.sent:.0%}" if count.sent else "–"
        table.add_row("genuine" if name == "none" else name, str(count.sent), str(count.flagged), share)
    return table


def summary(report: SimulationReport) -> str:
    """Return the result in one sentence."""
    text = f"{report.sent} transactions answered, {report.frauds} of them fraud, {report.flagged} flagged"
    if report.precision is None or report.recall is None:
        return f"{text}."
    return f"{text}: precision {report.precision:.2f}, recall {report.recall:.2f}."


def _paced(transactions: Iterable[GeneratedTransaction], rate: float) -> Iterator[GeneratedTransaction]:
    """Yield each transaction at its time from now on; late ones at once."""
    began = time.monotonic()
    for number, transaction in enumerate(transactions):
        wait = began + number / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield transaction
