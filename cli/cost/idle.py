"""What stacks cost in a month that nobody uses: by the templates, before anything is deployed."""

from __future__ import annotations

from collections.abc import Iterator

from cli.assembly import Assembly
from lambdas.costs.model import LAMBDA_GB, QUEUE_REQUESTS_AN_OBJECT, SECONDS_A_MONTH, Cost, cost
from lambdas.costs.prices import Prices

POLLS_A_MONTH = 5 * 3 * SECONDS_A_MONTH // 60
"""Of an empty queue with an event source: Lambda holds five long polls of 20 seconds; fewer only where no
maximum concurrency is set, https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html."""
LOOKS_A_MONTH, LOOK_SECONDS = 30 * 24 * 12, 0.05
"""The schedule that ends incidents, and asks for answers, looks each five minutes at all workloads."""
LOOK_READ_UNITS = 2


def idle_month(assembly: Assembly, prices: Prices) -> Iterator[Cost]:
    """Give what the stacks cost in a month without telemetry and before any training."""
    ordered = sum(
        "RedrivePolicy" in queue.properties and bool(queue.properties.get("FifoQueue"))
        for queue in assembly.of_type("AWS::SQS::Queue")
    )
    polled = assembly.counts["AWS::Lambda::EventSourceMapping"]
    yield cost(prices, "keys", assembly.counts["AWS::KMS::Key"], "kms.key_month")
    secrets = assembly.counts["AWS::SecretsManager::Secret"]
    yield cost(prices, "key of alerts' links", secrets, "secretsmanager.secret_month")
    yield cost(prices, "metrics of alarms", _alarm_metrics(assembly), "cloudwatch.alarm_metric_month")
    dashboards = assembly.counts["AWS::CloudWatch::Dashboard"]
    yield cost(prices, "dashboards", dashboards, "cloudwatch.dashboard_month")
    yield cost(prices, "polls of queues", (polled - ordered) * POLLS_A_MONTH, "sqs.standard_request")
    yield cost(prices, "polls of FIFO queues", ordered * POLLS_A_MONTH, "sqs.fifo_request")
    looks = "looks for incidents that are over or not answered"
    yield cost(prices, looks, LOOKS_A_MONTH * QUEUE_REQUESTS_AN_OBJECT, "sqs.fifo_request")
    yield cost(prices, looks, LOOKS_A_MONTH * LOOK_SECONDS * LAMBDA_GB, "lambda.arm_gb_second")
    yield cost(prices, looks, LOOKS_A_MONTH * LOOK_READ_UNITS, "dynamodb.read_unit")


def _alarm_metrics(assembly: Assembly) -> int:
    return sum(
        max(1, sum("MetricStat" in metric for metric in alarm.properties.get("Metrics", ())))
        for alarm in assembly.of_type("AWS::CloudWatch::Alarm")
    )
