"""Count what an hour of 1,000 series asks of each service on the laptop, and price it as a month.

The laptop decides every call of a role by the deployed policies and counts it; what is counted here are the
calls of the role of `score_telemetry`, and its own reports of how long it ran. What devices and the delivery
stream would cost follows from messages and objects alone, as in the model. A release of the streaming
detector is live, which has learned nothing yet.

What else runs on the machine makes the function slower and nothing else: of its times those of the fastest
quarter count.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import boto3
import typer
from rich.table import Table

from benchmarks.journey.laptop import localcloud, running
from benchmarks.journey.objects import WORKLOAD, put_telemetry, settle
from benchmarks.pages import FOLDER, described, machine
from benchmarks.scale.telemetry import RELEASE
from cli.deployer import Deployer, Stage
from cli.specs import anomaly_spec_of
from cli.stacks import Deployment
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.costs.model import (
    KEPT_MONTHS,
    LOG_BYTES_AN_OBJECT,
    OBJECT_BYTES,
    PAGE_BYTES_A_SERIES,
    QUEUE_REQUESTS_AN_OBJECT,
    SCORE_BYTES,
    SECONDS_A_MONTH,
    Cost,
    Fleet,
    Flow,
    cost,
    ingestion_month,
    scoring_month,
    scoring_seconds,
    total,
    workload_month,
)
from lambdas.costs.prices import Prices
from localcloud.authorization.journal import Journal
from localcloud.settings import Settings
from watchkeeper.command.screen import console, say
from watchkeeper.core import layout

WARM_UP = 20
"""Objects before those that are counted: from then on each closes intervals."""
JSON = FOLDER / "cost.json"
_PRICED = {
    "s3:GetObject": "s3.get",
    "s3:GetObjectVersion": "s3.get",
    "s3:PutObject": "s3.put",
    "s3:ListBucket": "s3.put",
    "dynamodb:PutItem": "dynamodb.write_unit",
    "dynamodb:UpdateItem": "dynamodb.write_unit",
    "dynamodb:DeleteItem": "dynamodb.write_unit",
    "dynamodb:BatchWriteItem": "dynamodb.write_unit",
    "dynamodb:GetItem": "dynamodb.read_unit",
    "dynamodb:BatchGetItem": "dynamodb.read_unit",
    "dynamodb:Query": "dynamodb.read_unit",
}
"""What is paid by the request; other actions are free (parameters, log lines are counted by bytes)."""


def main(
    series: Annotated[int, typer.Option(min=3, help="Series, one in a message.")] = 1000,
    objects: Annotated[int, typer.Option(min=5, help="Objects of telemetry, one a minute, counted.")] = 60,
) -> None:
    """Price what is counted, and compare it with the model."""
    load = os.getloadavg()[0]
    spec = anomaly_spec_of(WORKLOAD, "cost")
    with running(0.05) as settings:
        session = boto3.Session()
        Deployer(session, Stage.LAPTOP, WORKLOAD).deploy()
        deployment = Deployment(session)
        bucket, queue = deployment.bucket, deployment.output("WatchkeeperScoring", "ScoreQueueUrl")
        pages = deployment.output("WatchkeeperStorage", "PageBucketName")
        table = deployment.output("WatchkeeperStorage", "SeriesTableName")
        release = replace(RELEASE, workload=WORKLOAD)
        TableReleaseStore(session.client("dynamodb"), table).publish(release)
        for number in range(WARM_UP):
            _telemetry(session, bucket, series, number)
        settle(session, queue)
        before, began = _counted(settings), int(1000 * time.time())
        scores_before = _stored(session, bucket, layout.scores_prefix(WORKLOAD))
        for number in range(WARM_UP, WARM_UP + objects):
            _telemetry(session, bucket, series, number)
        settle(session, queue)
        asked = _counted(settings) - before
        function = deployment.output("WatchkeeperScoring", "ScoreTelemetryFunctionName")
        milliseconds, logged = _reports(session, function, began)
        scores = _stored(session, bucket, layout.scores_prefix(WORKLOAD)) - scores_before
        page_bytes = _stored(session, pages, layout.pages_prefix(WORKLOAD))
    prices = Prices.read()
    fleet = Fleet(series, devices=series)
    model = list(scoring_month(spec, prices, fleet))
    month = SECONDS_A_MONTH / 60 / objects
    counted = _costs(asked, objects, milliseconds, logged, month, prices)
    flow = Flow.of(spec, fleet)
    stored = (
        KEPT_MONTHS * (objects * OBJECT_BYTES + scores) * month + page_bytes,
        KEPT_MONTHS * (flow.shelf_steps * OBJECT_BYTES + flow.intervals * SCORE_BYTES)
        + series * PAGE_BYTES_A_SERIES,
    )
    counted.append(cost(prices, "scores, kept for a year, and pages", stored[0] / 1e9, "s3.gb_month"))
    paid = {"s3.get", "s3.put", "dynamodb.write_unit", "dynamodb.read_unit"}
    rest = [each for each in model if each.service == "KMS" or each.what == "telemetry, kept for a year"]
    results: dict[str, Any] = {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": described(machine()),
        "load": load,
        "series": series,
        "objects": objects,
        "calls": dict(asked),
        "scores_bytes_an_interval": scores / (objects * series / 5),
        "page_bytes_a_series": page_bytes / series,
        "milliseconds_an_object": milliseconds / objects,
        "log_bytes_an_object": logged / objects,
        "seconds_an_object_by_the_model": scoring_seconds(flow) / flow.objects,
        "month_usd": {
            "scoring, counted": total(counted) + total(rest),
            "scoring, by the model": total(model),
            "telemetry, by messages and objects": total(ingestion_month(spec, prices, fleet)),
            "metrics and ticks of the workload": total(workload_month(spec, prices, fleet)),
        },
    }
    JSON.parent.mkdir(parents=True, exist_ok=True)
    JSON.write_text(json.dumps(results, indent=1))
    _show(results, counted, model, paid)


def _telemetry(session: boto3.Session, bucket: str, series: int, number: int) -> None:
    """Write the object of a minute: a fifth of the series, each of which is measured every five minutes."""
    put_telemetry(session, bucket, range(number % 5, series, 5), number, timedelta(minutes=1))


def _counted(settings: Settings) -> Counter[str]:
    """Return the calls of the role of `score_telemetry` by action, when all of them are written."""
    localcloud("status", quiet=True)  # it writes what was recorded
    calls: Counter[str] = Counter()
    for entry in Journal.read(settings.home / "iam").entries:
        if "ScoreTelemetry" in entry.role:
            calls[entry.action] += entry.count
            if entry.action == "s3:PutObject" and f"/{layout.PAGES}/" in entry.resource:
                # a page is replaced by If-Match, which needs leave to get it, too: no request of its own
                calls["s3:GetObject"] -= entry.count
    return calls


def _reports(session: boto3.Session, function: str, began: int) -> tuple[float, int]:
    """Return the milliseconds that the function's reports bill, all as the fastest quarter of them, and the
    bytes of its log."""
    logs = session.client("logs")
    group = session.client("lambda").get_function_configuration(FunctionName=function)["LoggingConfig"][
        "LogGroup"
    ]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=began)
    messages = [event["message"] for page in pages for event in page["events"]]
    billed = [
        float(found[1]) for text in messages if (found := re.search(r"Billed Duration: ([\d.]+) ms", text))
    ]
    fastest = sorted(billed)[: max(1, len(billed) // 4)]
    return len(billed) * sum(fastest) / len(fastest), sum(len(text) + 26 for text in messages)


def _stored(session: boto3.Session, bucket: str, prefix: str) -> int:
    pages = session.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return sum(item["Size"] for page in pages for item in page.get("Contents", []))


def _costs(
    asked: Counter[str], objects: int, milliseconds: float, logged: int, month: float, prices: Prices
) -> list[Cost]:
    """Return what a month of what was counted costs; `month` is how often it is in one."""
    gigabyte_seconds = milliseconds / 1000  # of a function of 1 GB
    return [
        *(
            cost(prices, action, count * month, _PRICED[action])
            for action, count in asked.items()
            if action in _PRICED
        ),
        cost(prices, "messages of objects", objects * QUEUE_REQUESTS_AN_OBJECT * month, "sqs.fifo_request"),
        cost(prices, "score_telemetry", objects * month, "lambda.request"),
        cost(prices, "score_telemetry", gigabyte_seconds * month, "lambda.arm_gb_second"),
        cost(prices, "logs", logged * month / 1e9, "cloudwatch.log_gb"),
    ]


def _show(results: dict[str, Any], counted: list[Cost], model: list[Cost], paid: set[str]) -> None:
    table = Table("what", "counted", "by the model", box=None, title_justify="left")
    table.title = f"{results['series']:,} series, {results['objects']} objects, as a month"
    prices = Prices.read()
    for price in sorted(paid):
        unit_usd = prices.units[price].usd
        service = price.partition(".")[0]
        sums = [
            sum(
                each.quantity
                for each in costs
                if each.unit_usd == unit_usd and service in each.service.lower()
            )
            for costs in (counted, model)
        ]
        table.add_row(price, *(f"{each:,.0f}" for each in sums))
    for service in ("SQS", "Lambda", "CloudWatch"):
        sums = [total(each for each in costs if each.service == service) for costs in (counted, model)]
        table.add_row(f"{service}, USD", *(f"{each:.3f}" for each in sums))
    console.print(table)
    for name, model_says in (
        ("scores_bytes_an_interval", SCORE_BYTES),
        ("page_bytes_a_series", PAGE_BYTES_A_SERIES),
        ("log_bytes_an_object", LOG_BYTES_AN_OBJECT),
        ("milliseconds_an_object", 1000 * results["seconds_an_object_by_the_model"]),
    ):
        say(f"  {name}: {results[name]:.0f}, by the model {model_says:.0f}")
    of_model = results["month_usd"]["scoring, by the model"]
    share = results["month_usd"]["scoring, counted"] / of_model - 1
    say(f"  counted is {share:+.1%} beside the model")
    for name, usd in results["month_usd"].items():
        say(f"  {usd:8.2f}  USD a month: {name}")
    say(f"calls: {dict(results['calls'])}")
    say(f"{results['machine']}; load before the start {results['load']:.2f}")


if __name__ == "__main__":
    typer.run(main)
