"""How long the fraud API takes to answer on the laptop, everything included, and how it grows with the graph.

`python -m benchmarks.fraud.latency [--sizes 100000,1000000]`: against the local cloud that `AWS_ENDPOINT_URL`
names, on which a fraud workload is deployed and trained (`make demo WORKLOAD=card_fraud`). Each client holds
one connection and sends one generated transaction at a time, and so each answer is a request over HTTP, its
authorisation, the function, the graph, the endpoint and the event. For a size, transactions of the same
generator are loaded first, with vectors of noise in them: how long they take does not depend on their values.
"""

from __future__ import annotations

import http.client
import itertools
import json
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlsplit

import boto3
import numpy as np
import typer

from lambdas.adapters import clients as aws
from lambdas.adapters.plan_store import ParameterPlanStore
from lambdas.fraud.stores import store_of
from watchkeeper.fraud.generator import World
from watchkeeper.fraud.history import StoredTransaction
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.transaction import read_transaction

LOADED_AT_ONCE = 500
WARM_UP = 40
LATER_SECONDS = 400 * 86_400
"""What is asked comes later than all that was loaded."""


@dataclass
class Client(threading.Thread):
    """Asks about its transactions, one after the other."""

    url: str
    rows: list[dict[str, Any]]
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Send them all."""
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port)
        for row in self.rows:
            body = json.dumps(row)
            began = time.perf_counter()
            connection.request(
                "POST", f"{where.path}?{where.query}", body, {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            answer.read()
            self.seconds.append(time.perf_counter() - began)
            self.failed += answer.status != 200


def main(
    workload: Annotated[str, typer.Option(help="A fraud workload, deployed and trained.")] = "card_fraud",
    url: Annotated[str, typer.Option(help="Of the service.")] = "http://localhost:8000",
    requests: Annotated[int, typer.Option(min=10, help="Of each measurement.")] = 500,
    clients: Annotated[str, typer.Option(help="Numbers of clients at once.")] = "1,10",
    sizes: Annotated[str, typer.Option(help="Loaded transactions, rising; 0 is the graph as it is.")] = "0",
    seed: Annotated[int, typer.Option(help="Of the generator.")] = 11,
) -> None:
    """Print p50 and p95 in milliseconds and answers a second, for each size and number of clients."""
    plan = ParameterPlanStore(aws.ssm()).fraud_plan_of(workload)
    asked = f"{url}/fraud/transactions?workload={workload}"
    history, live = _rows(seed, "h"), _rows(seed + 1, f"l{time.time_ns()}-", later=LATER_SECONDS)
    loaded = 0
    for size in map(int, sizes.split(",")):
        began = time.perf_counter()
        _load(plan, itertools.islice(history, max(0, size - loaded)))
        if size > loaded:
            print(f"loaded {size - loaded:,} in {time.perf_counter() - began:.0f} s")
        loaded = max(size, loaded)
        for number in map(int, clients.split(",")):
            _measured(asked, live, number, WARM_UP * number)
            seconds, failed, took = _measured(asked, live, number, requests)
            p50, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
            print(
                f"{loaded:>9,} loaded, {number:>2} clients: p50 {1000 * p50:6.1f} ms, "
                f"p95 {1000 * p95:6.1f} ms, {len(seconds) / took:6.1f} answers/s, "
                f"{failed} failed of {len(seconds)}",
                flush=True,
            )


def _measured(
    url: str, live: Iterator[dict[str, Any]], clients: int, requests: int
) -> tuple[list[float], int, float]:
    each = requests // clients
    callers = [Client(url, list(itertools.islice(live, each))) for _ in range(clients)]
    began = time.perf_counter()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    took = time.perf_counter() - began
    return [one for caller in callers for one in caller.seconds], sum(c.failed for c in callers), took


def _rows(seed: int, prefix: str, later: float = 0.0) -> Iterator[dict[str, Any]]:
    for number, made in enumerate(World(seed=seed).stream()):
        fields = {name: value for name, value in made.fields.items() if name != "isFraud"}
        yield {
            **fields,
            "TransactionID": f"{prefix}{number}",
            "TransactionDT": float(fields["TransactionDT"]) + later,
        }


def _load(plan: FraudPlan, rows: Iterator[dict[str, Any]]) -> None:
    store = store_of(plan, table=_table())
    width, random = len(schema_of(plan).names), np.random.default_rng(0)
    while batch := list(itertools.islice(rows, LOADED_AT_ONCE)):
        noise = random.normal(size=(len(batch), width)).astype(np.float32)
        transactions = [read_transaction(row, plan) for row in batch]
        store.load([StoredTransaction(one, vector) for one, vector in zip(transactions, noise, strict=True)])


def _table() -> str:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName="WatchkeeperStorage")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return str(outputs["TransactionsTableName"])


if __name__ == "__main__":
    typer.run(main)
