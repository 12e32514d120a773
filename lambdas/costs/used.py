"""What a deployment has used since the month began, as CloudWatch counts it, and where that leads.

CloudWatch counts no requests to S3 unless it is paid for, so those are derived: the function that scores has
one invocation an object, and the model says how many requests an object makes. Such lines say so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from lambdas.adapters.project_stacks import StackResource, project_resources
from lambdas.costs.model import (
    METERED_BYTES,
    SECONDS_A_MONTH,
    Cost,
    Fleet,
    Flow,
    cost,
    instance_hours,
    scoring_month,
)
from lambdas.costs.prices import Prices
from watchkeeper.core import layout
from watchkeeper.spec import AnomalyWorkload, WorkloadSpec

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDataQueryTypeDef
    from mypy_boto3_lambda import LambdaClient

QUERIES = 500
"""Most of one GetMetricData."""
PERIOD_SECONDS = 3600
DERIVED = " (derived from the objects scored)"


@dataclass(frozen=True)
class Metric:
    """Sums of a metric over the month, of each of some resources."""

    namespace: str
    name: str
    dimension: str
    statistic: str = "Sum"


_OF_TYPES: dict[str, tuple[Metric, ...]] = {
    "AWS::Lambda::Function": (
        Metric("AWS/Lambda", "Invocations", "FunctionName"),
        Metric("AWS/Lambda", "Duration", "FunctionName"),
    ),
    "AWS::SQS::Queue": tuple(
        Metric("AWS/SQS", name, "QueueName")
        for name in (
            "NumberOfMessagesSent",
            "NumberOfMessagesReceived",
            "NumberOfMessagesDeleted",
            "NumberOfEmptyReceives",
        )
    ),
    "AWS::DynamoDB::Table": (
        Metric("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName"),
        Metric("AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName"),
    ),
    "AWS::KinesisFirehose::DeliveryStream": (
        Metric("AWS/Firehose", "IncomingRecords", "DeliveryStreamName"),
        Metric("AWS/Firehose", "IncomingBytes", "DeliveryStreamName"),
        Metric("AWS/Firehose", "DeliveryToS3.ObjectCount", "DeliveryStreamName"),
    ),
    "AWS::IoT::TopicRule": (Metric("AWS/IoT", "TopicMatch", "RuleName"),),
    "AWS::Logs::LogGroup": (Metric("AWS/Logs", "IncomingBytes", "LogGroupName"),),
}


@dataclass(frozen=True)
class Used:
    """Costs since the month began, and the share of the month that has passed."""

    costs: tuple[Cost, ...]
    passed: float

    def projected(self) -> list[Cost]:
        """Return the whole month's costs if it goes on like this."""
        return [replace(each, quantity=each.quantity / self.passed) for each in self.costs]


class Sums(defaultdict[tuple[str, str, str], float]):
    """The month's sums by namespace, metric and resource."""

    def of_all(self, namespace: str, name: str) -> float:
        """Return the sum over all resources."""
        return sum(value for key, value in self.items() if key[:2] == (namespace, name))


@dataclass(frozen=True)
class Counted:
    """What CloudWatch has counted of the project's resources since the first of the month."""

    resources: Sequence[StackResource]
    sums: Sums
    memory_gb: Mapping[str, float]
    """Of functions that ran."""
    passed: float
    """Share of the month."""

    def of_workload(self, workload: str) -> Counted:
        """Return what only one workload has: its stack, and its endpoint."""
        stack = layout.workload_stack(workload)
        own = [each for each in self.resources if each.stack == stack]
        names = {layout.endpoint_name(workload), *map(_name, own)}
        sums = Sums(float, {key: value for key, value in self.sums.items() if key[2] in names})
        return replace(self, resources=own, sums=sums)


def counted(
    cloudformation: CloudFormationClient,
    cloudwatch: CloudWatchClient,
    functions: LambdaClient,
    workloads: Sequence[str],
    now: datetime,
) -> Counted:
    """Ask what the project's stacks have used since the first of the month.

    Parameters
    ----------
    workloads
        Names of those whose endpoints are looked at.
    now
        Aware, UTC.
    """
    begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    passed = min(1.0, max((now - begin).total_seconds(), PERIOD_SECONDS) / SECONDS_A_MONTH)
    resources = project_resources(cloudformation)
    sums = _sums(cloudwatch, resources, workloads, begin, now)
    ran = [
        each.identity
        for each in resources
        if each.type == "AWS::Lambda::Function" and sums["AWS/Lambda", "Invocations", each.identity]
    ]
    memory = {
        name: functions.get_function_configuration(FunctionName=name)["MemorySize"] / 1024 for name in ran
    }
    return Counted(resources, sums, memory, passed)


def used(month: Counted, workloads: Sequence[WorkloadSpec], prices: Prices) -> Used:
    """Price what was counted.

    Parameters
    ----------
    workloads
        Of which it was; their endpoints and rules are looked at.
    """
    costs = [
        *_functions(month, prices),
        *_rest(workloads, month.sums, prices),
        *_derived(workloads, month, prices),
        *_kept(month, prices),
    ]
    return Used(tuple(each for each in costs if each.quantity), month.passed)


def _sums(
    client: CloudWatchClient,
    resources: Sequence[StackResource],
    workloads: Sequence[str],
    begin: datetime,
    end: datetime,
) -> Sums:
    wanted: list[tuple[Metric, str, tuple[DimensionTypeDef, ...]]] = [
        (metric, _name(each), ()) for each in resources for metric in _OF_TYPES.get(each.type, ())
    ]
    variant: tuple[DimensionTypeDef, ...] = ({"Name": "VariantName", "Value": layout.VARIANT},)
    minutes = Metric("/aws/sagemaker/Endpoints", "CPUUtilization", "EndpointName", "SampleCount")
    wanted += [(minutes, layout.endpoint_name(workload), variant) for workload in workloads]
    queries: list[MetricDataQueryTypeDef] = [
        {
            "Id": f"m{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": metric.dimension, "Value": name}, *more],
                },
                "Period": PERIOD_SECONDS,
                "Stat": metric.statistic,
            },
        }
        for index, (metric, name, more) in enumerate(wanted)
    ]
    sums = Sums(float)
    paginator = client.get_paginator("get_metric_data")
    for first in range(0, len(queries), QUERIES):
        asked = queries[first : first + QUERIES]
        for page in paginator.paginate(MetricDataQueries=asked, StartTime=begin, EndTime=end):
            for result in page["MetricDataResults"]:
                metric, name, _ = wanted[int(result["Id"][1:])]
                sums[metric.namespace, metric.name, name] += sum(result["Values"])
    return sums


def _functions(month: Counted, prices: Prices) -> Iterator[Cost]:
    for name in (each.identity for each in month.resources if each.identity in month.memory_gb):
        yield cost(prices, name, month.sums["AWS/Lambda", "Invocations", name], "lambda.request")
        seconds = month.sums["AWS/Lambda", "Duration", name] / 1000
        yield cost(prices, name, seconds * month.memory_gb[name], "lambda.arm_gb_second")


def _rest(workloads: Sequence[WorkloadSpec], sums: Sums, prices: Prices) -> Iterator[Cost]:
    queues = sum(sums.of_all("AWS/SQS", metric.name) for metric in _OF_TYPES["AWS::SQS::Queue"])
    written, read = (
        sums.of_all("AWS/DynamoDB", f"Consumed{what}CapacityUnits") for what in ("Write", "Read")
    )
    records, taken, objects = (
        sums.of_all("AWS/Firehose", name)
        for name in ("IncomingRecords", "IncomingBytes", "DeliveryToS3.ObjectCount")
    )
    matched = sums.of_all("AWS/IoT", "TopicMatch")
    published = sum(
        sums["AWS/IoT", "TopicMatch", layout.topic_rule_name(spec.name)]
        for spec in workloads
        if isinstance(spec, AnomalyWorkload) and not spec.source.basic_ingest
    )
    yield cost(prices, "requests of all queues, as of FIFO queues", queues, "sqs.fifo_request")
    yield cost(prices, "all tables", written, "dynamodb.write_unit")
    yield cost(prices, "all tables", read, "dynamodb.read_unit")
    gigabytes = max(records * METERED_BYTES, taken) / 1e9
    yield cost(prices, "records, rounded up to 5 KB", gigabytes, "firehose.gb")
    yield cost(prices, "objects of partitions", objects, "firehose.partitioned_object")
    yield cost(prices, "rules evaluated", matched, "iot.rule")
    yield cost(prices, "actions", matched, "iot.action")
    yield cost(prices, "messages (Basic Ingest: none)", published, "iot.message")
    yield cost(prices, "logs", sums.of_all("AWS/Logs", "IncomingBytes") / 1e9, "cloudwatch.log_gb")
    for spec in workloads:
        if spec.endpoint is None:
            continue
        minutes = sums["/aws/sagemaker/Endpoints", "CPUUtilization", layout.endpoint_name(spec.name)]
        yield instance_hours(prices, f"endpoint of {spec.name}", minutes / 60, spec.endpoint.instance_type)


def _derived(workloads: Sequence[WorkloadSpec], month: Counted, prices: Prices) -> Iterator[Cost]:
    """Give the requests to S3 that so many objects make, as the model has them of the first workload."""
    objects = sum(
        month.sums["AWS/Lambda", "Invocations", each.identity]
        for each in month.resources
        if each.type == "AWS::Lambda::Function" and "ScoreTelemetry" in each.identity
    )
    spec = next((each for each in workloads if isinstance(each, AnomalyWorkload)), None)
    if spec is None:
        return
    fleet = Fleet()
    share = objects / Flow.of(spec, fleet).objects
    for each in scoring_month(spec, prices, fleet):
        if each.service in ("S3", "KMS") and each.unit == "request":
            yield replace(each, what=each.what + DERIVED, quantity=each.quantity * share)


def _kept(month: Counted, prices: Prices) -> Iterator[Cost]:
    """Give what is paid by the month for being there."""
    counts: dict[str, float] = defaultdict(float)
    for each in month.resources:
        counts[each.type] += month.passed
    yield cost(prices, "keys", counts["AWS::KMS::Key"], "kms.key_month")
    secrets = counts["AWS::SecretsManager::Secret"]
    yield cost(prices, "key of alerts' links", secrets, "secretsmanager.secret_month")
    alarms = counts["AWS::CloudWatch::Alarm"]
    yield cost(prices, "alarms, of one metric each", alarms, "cloudwatch.alarm_metric_month")
    yield cost(prices, "dashboards", counts["AWS::CloudWatch::Dashboard"], "cloudwatch.dashboard_month")


def _name(resource: StackResource) -> str:
    """Return what a metric calls a resource: a queue's identity is its URL."""
    return resource.identity.rpartition("/")[2] if resource.type == "AWS::SQS::Queue" else resource.identity
