"""What a deployment costs: quantities of the templates and of a month of telemetry, times listed prices.

`prices.json` is the only place where a price is written. Free tiers and taxes are not taken off.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.assembly import Assembly
from watchkeeper.spec import AnomalyWorkload, WorkloadSpec

HOURS_A_MONTH = 730
MINUTES_A_MONTH = 30 * 24 * 60
SERIES = 1000
"""Of how many series the price of scoring is told."""

POLLS_A_MONTH = 5 * 3 * MINUTES_A_MONTH
"""Of an empty queue with an event source: Lambda holds five long polls of 20 seconds."""
OBJECT_SECONDS = 60
"""Firehose closes an object of telemetry after so long."""
FIREHOSE_RECORD_BYTES = 5 * 1024
"""Firehose rounds every record up to this."""
WRITE_UNITS_A_SCORE = 6
"""A series' state of 2 KB is written twice an interval, each time as a transaction's or index's 3 units."""
LAMBDA_GB_SECONDS_A_SCORE = 0.009


@dataclass(frozen=True)
class Prices:
    """Prices of one region on one day, USD."""

    region: str
    as_of: str
    source: str
    unit_usd: Mapping[str, float]
    instance_hour_usd: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Prices:
        """Read the list of the checkout."""
        document = json.loads(Path(__file__).with_name("prices.json").read_text())
        return cls(
            document["region"],
            document["as_of"],
            document["source"],
            document["unit_usd"],
            document["instance_hour_usd"],
        )

    def with_instances(self, hour_usd: Mapping[str, float]) -> Prices:
        """Return the list with instances' prices of a better source, such as AWS's Price List API."""
        return Prices(
            self.region, self.as_of, self.source, self.unit_usd, {**self.instance_hour_usd, **hour_usd}
        )


@dataclass(frozen=True)
class Cost:
    """One thing that is paid for in a month."""

    what: str
    quantity: float
    usd: float | None
    """None where the list has no price for it."""


def total(costs: Iterable[Cost]) -> float:
    """Return the sum of what has a price, USD."""
    return sum(cost.usd or 0.0 for cost in costs)


def idle_month(assembly: Assembly, prices: Prices) -> Iterator[Cost]:
    """Give what the stacks cost in a month without telemetry and before any training."""
    for what, quantity, price in (
        ("KMS keys", assembly.counts["AWS::KMS::Key"], "kms.key_month"),
        ("metrics of alarms", _alarm_metrics(assembly), "cloudwatch.alarm_metric_month"),
        ("dashboards", assembly.counts["AWS::CloudWatch::Dashboard"], "cloudwatch.dashboard_month"),
        (
            "polls of queues",
            assembly.counts["AWS::Lambda::EventSourceMapping"] * POLLS_A_MONTH,
            "sqs.fifo_request",
        ),
    ):
        yield Cost(what, quantity, quantity * prices.unit_usd[price])


def endpoints_month(workloads: Iterable[WorkloadSpec], prices: Prices) -> Iterator[Cost]:
    """Give what the endpoints cost in a month once they are trained; serverless ones cost by use."""
    for spec in workloads:
        if spec.endpoint.serverless is not None:
            continue
        kind, hours = spec.endpoint.instance_type, spec.endpoint.instance_count * HOURS_A_MONTH
        price = prices.instance_hour_usd.get(kind)
        usd = None if price is None else hours * price
        yield Cost(f"endpoint of {spec.name}, {spec.endpoint.instance_count} × {kind}", hours, usd)


def scoring_month(workload: AnomalyWorkload, prices: Prices, series: int = SERIES) -> Iterator[Cost]:
    """Give what a month of scoring costs, of a device a series that sends one message an interval."""
    intervals = series * MINUTES_A_MONTH * 60 / workload.interval.total_seconds()
    objects = MINUTES_A_MONTH * 60 / max(OBJECT_SECONDS, workload.interval.total_seconds() / series)
    gigabytes = intervals * FIREHOSE_RECORD_BYTES / 1e9
    for what, quantity, price in (
        ("score objects put", intervals, "s3.put"),
        ("DynamoDB write units", intervals * WRITE_UNITS_A_SCORE, "dynamodb.write_unit"),
        ("DynamoDB read units", intervals, "dynamodb.read_unit"),
        ("IoT messages", intervals, "iot.message"),
        ("IoT rules evaluated", intervals, "iot.rule"),
        ("IoT actions", intervals, "iot.action"),
        ("minutes of IoT connections", series * MINUTES_A_MONTH, "iot.connection_minute"),
        ("GB into Firehose", gigabytes, "firehose.gb"),
        ("objects of Firehose", objects, "firehose.partitioned_object"),
        ("telemetry objects put", objects, "s3.put"),
        ("Lambda GB-seconds", intervals * LAMBDA_GB_SECONDS_A_SCORE, "lambda.arm_gb_second"),
        ("Lambda requests", objects, "lambda.request"),
    ):
        yield Cost(what, quantity, quantity * prices.unit_usd[price])


def _alarm_metrics(assembly: Assembly) -> int:
    return sum(
        max(1, sum("MetricStat" in metric for metric in alarm.properties.get("Metrics", ())))
        for alarm in assembly.of_type("AWS::CloudWatch::Alarm")
    )
