"""Service Quotas: what the templates and workloads need of each quota, and what the account has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from cli.assembly import Assembly
from cli.preflight.finding import Finding, Level
from pipeline.settings import ServiceSettings
from watchkeeper.spec import RegressionWorkload, WorkloadSpec

SERVERLESS = "Maximum total concurrency that can be allocated across all serverless endpoints"
GLOBAL_REGION = "us-east-1"
"""Where the quotas of services without regions are."""
FUNCTIONS_AT_ONCE = 10
"""Each loop, the service and a training's step have a function at work at the same time."""
FIXED = (
    ("CloudWatch alarms", "AWS::CloudWatch::Alarm", 5000),
    ("CloudWatch dashboards", "AWS::CloudWatch::Dashboard", 5000),
)
"""What Service Quotas does not list: the limits of the CloudWatch user guide, "CloudWatch service quotas"."""
_COUNTED = (
    ("cloudformation", "Stack count", "AWS::CloudFormation::Stack"),
    ("dynamodb", "Maximum number of tables", "AWS::DynamoDB::Table"),
    ("events", "Number of rules", "AWS::Events::Rule"),
    ("firehose", "Delivery streams", "AWS::KinesisFirehose::DeliveryStream"),
    ("iam", "Roles per account", "AWS::IAM::Role"),
    ("iotcore", "Maximum number of rules per AWS account", "AWS::IoT::TopicRule"),
)
_GLOBAL = frozenset({"iam"})
_USAGE_WINDOW = timedelta(days=1)


@dataclass(frozen=True)
class Need:
    """What is needed of one quota."""

    service: str
    quota: str
    least: int
    """With less, something fails."""
    ample: int
    """With less, something waits or fails now and then, as `why` says."""
    why: str = ""
    made: int = 0
    """How much of it is there already, made by this project."""


def needs(assembly: Assembly, workloads: Sequence[WorkloadSpec], deployed: Counter[str]) -> list[Need]:
    """Return what a deployment needs, the instances of SageMaker first.

    Parameters
    ----------
    deployed
        How many resources of each type the project's stacks in the account have.
    """
    counts = assembly.counts + Counter({"AWS::CloudFormation::Stack": len(assembly.stacks)})
    return [
        *_endpoints(workloads),
        *_jobs(workloads),
        Need(
            "lambda",
            "Concurrent executions",
            FUNCTIONS_AT_ONCE,
            FUNCTIONS_AT_ONCE + len(workloads),
            "workloads that get telemetry at the same time wait for each other",
        ),
        *(
            Need(service, quota, counts[kind], counts[kind], made=deployed[kind])
            for service, quota, kind in _COUNTED
        ),
    ]


def check_quotas(session: boto3.Session, wanted: Iterable[Need]) -> Iterator[Finding]:
    """Compare each need with the account's quota."""
    listed: dict[str, dict[str, Any]] = {}
    for need in wanted:
        region = GLOBAL_REGION if need.service in _GLOBAL else session.region_name
        if need.service not in listed:
            listed[need.service] = _quotas(session, need.service, region)
        quota = listed[need.service].get(need.quota)
        if quota is None:
            yield Finding(
                "quotas",
                Level.YELLOW,
                f"{need.quota}: Service Quotas does not list it in {region}; needed {need.ample}",
                figures={"service": need.service, "quota": need.quota, "needed": need.ample},
            )
        else:
            yield _compared(session, need, quota, str(region))


def check_fixed(assembly: Assembly) -> Iterator[Finding]:
    """Compare with limits that no request raises."""
    for what, kind, limit in FIXED:
        needed = assembly.counts[kind]
        yield Finding(
            "quotas",
            Level.RED if needed > limit else Level.GREEN,
            f"{what}: needed {needed}, a region has {limit:,}",
            "deploy fewer workloads to this region" if needed > limit else None,
            {"quota": what, "needed": needed, "present": limit},
        )


def _endpoints(workloads: Sequence[WorkloadSpec]) -> Iterator[Need]:
    instances: Counter[str] = Counter()
    surplus: Counter[str] = Counter()
    concurrency = 0
    for spec in workloads:
        endpoint = spec.endpoint
        if endpoint is None:
            continue
        if endpoint.serverless is not None:
            concurrency += endpoint.serverless.max_concurrency
            continue
        instances[endpoint.instance_type] += endpoint.instance_count
        shadow = isinstance(spec, RegressionWorkload) and spec.explain.predictor == "endpoint"
        extra = max(surplus[endpoint.instance_type], endpoint.instance_count, int(shadow))
        surplus[endpoint.instance_type] = extra
    why = "a new model's instances run beside the old one's until traffic has moved"
    for kind in sorted(instances):
        yield Need(
            "sagemaker",
            f"{kind} for endpoint usage",
            instances[kind],
            instances[kind] + surplus[kind],
            why,
        )
    if instances:
        every = instances.total()
        yield Need(
            "sagemaker",
            "Number of instances across active endpoints",
            every,
            every + max(surplus.values()),
            why,
        )
    if concurrency:
        yield Need("sagemaker", SERVERLESS, concurrency, concurrency)


def _jobs(workloads: Sequence[WorkloadSpec]) -> Iterator[Need]:
    service = ServiceSettings(region="")
    for use in ("training", "processing", "transform"):
        at_once = Counter(
            spec.training.instance_type for spec in workloads if use == "processing" or not spec.is_streaming
        )
        least, ample = Counter(dict.fromkeys(at_once, 1)), Counter(at_once)
        if use != "transform":
            together = service.search_concurrency if use == "training" else 1
            least[service.job_instance] = max(least[service.job_instance], together)
            ample[service.job_instance] += together
        for kind in sorted(ample):
            yield Need(
                "sagemaker",
                f"{kind} for {use} job usage",
                least[kind],
                ample[kind],
                "trainings that start at the same time try again for minutes, then fail",
            )
        yield Need(
            "sagemaker",
            f"Number of instances across all {use} jobs",
            max(least.values()),
            ample.total(),
            "trainings that start at the same time try again for minutes, then fail",
        )


def _quotas(session: boto3.Session, service: str, region: str | None) -> dict[str, dict[str, Any]]:
    """Return a service's quotas by name: the account's value where there is one, or AWS's default."""
    client = session.client("service-quotas", region_name=region)
    found: dict[str, dict[str, Any]] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode=service):
            found |= {quota["QuotaName"]: quota for quota in page["Quotas"]}
    return found


def _compared(session: boto3.Session, need: Need, quota: dict[str, Any], region: str) -> Finding:
    present, others = int(quota["Value"]), max(0, _used(session, quota, region) - need.made)
    level = Level.GREEN
    if present < need.least + others:
        level = Level.RED
    elif present < need.ample + others:
        level = Level.YELLOW
    wanted = need.ample + others
    text = f"{need.quota}: needed {need.least}"
    if need.ample > need.least:
        text += f", better {need.ample}"
    text += f", present {present}" + (f", {others} of it in use by others" if others else "")
    remedy = None
    if level is not Level.GREEN:
        text += f"; {need.why}" if level is Level.YELLOW and need.why else ""
        remedy = (
            f"aws service-quotas request-service-quota-increase --service-code {need.service} "
            f"--quota-code {quota['QuotaCode']} --desired-value {wanted} --region {region}"
            if quota.get("Adjustable", True)
            else f"AWS does not raise it ({quota['QuotaCode']}): use another region, or fewer workloads"
        )
    figures = {
        "service": need.service,
        "quota": need.quota,
        "code": quota["QuotaCode"],
        "needed": need.least,
        "better": need.ample,
        "present": present,
        "used_by_others": others,
    }
    return Finding("quotas", level, text, remedy, figures)


def _used(session: boto3.Session, quota: dict[str, Any], region: str) -> int:
    """Return how much of a quota is in use, where the service publishes that to CloudWatch."""
    metric = quota.get("UsageMetric")
    if not metric or "MetricName" not in metric:
        return 0
    statistic = metric.get("MetricStatisticRecommendation", "Maximum")
    now = datetime.now(UTC)
    points = session.client("cloudwatch", region_name=region).get_metric_statistics(
        Namespace=metric["MetricNamespace"],
        MetricName=metric["MetricName"],
        Dimensions=[{"Name": name, "Value": value} for name, value in metric["MetricDimensions"].items()],
        StartTime=now - _USAGE_WINDOW,
        EndTime=now,
        Period=int(_USAGE_WINDOW.total_seconds()),
        Statistics=[statistic],
    )["Datapoints"]
    return int(max((point[statistic] for point in points), default=0.0))
