"""What AWS offers in the region: the templates' services, and SageMaker's instance types with prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import boto3

from cli.assembly import Assembly
from cli.cost.refreshing import PRICING_REGION, on_demand, products
from cli.preflight.finding import Finding, Level
from pipeline.settings import ServiceSettings
from watchkeeper.spec import WorkloadSpec

_PUBLIC = "/aws/service/global-infrastructure"
_OTHER_NAMES = {
    "AWS::ApiGatewayV2": ("apigateway",),
    "AWS::CloudWatch": ("cloudwatch", "monitoring"),
    "AWS::Cognito": ("cognito-idp", "cognito"),
    "AWS::Events": ("events", "eventbridge"),
    "AWS::KinesisFirehose": ("firehose",),
    "AWS::Logs": ("logs", "cloudwatchlogs", "cloudwatch"),
    "AWS::Scheduler": ("scheduler", "eventbridgescheduler"),
    "AWS::StepFunctions": ("stepfunctions", "states"),
}
"""How AWS's list of regions and services calls a service, where not by the name in resource types."""
_EVERYWHERE = frozenset({"AWS::CloudFront"})
"""Of no region: the list names them in some."""
_USES = {"hosting": "endpoint", "training": "training job", "processing": "processing job"}
"""Components of the price list that say what an instance type may be used for."""


def check_services(session: boto3.Session, assembly: Assembly) -> Iterator[Finding]:
    """Compare the templates' services with AWS's own list of the region (public parameters of SSM)."""
    client = session.client("ssm")

    def names(path: str) -> set[str]:
        pages = client.get_paginator("get_parameters_by_path").paginate(Path=path)
        return {parameter["Value"] for page in pages for parameter in page["Parameters"]}

    offered = names(f"{_PUBLIC}/regions/{session.region_name}/services")
    if not offered:
        text = f"not known: SSM has no list of services of {session.region_name} here"
        yield Finding("services", Level.YELLOW, text)
        return
    known = offered | names(f"{_PUBLIC}/services")
    named = {kind.rpartition("::")[0] for kind in assembly.counts if kind.startswith("AWS::")}
    needed = named - _EVERYWHERE
    calls = {each: _OTHER_NAMES.get(each, (each.removeprefix("AWS::").lower(),)) for each in needed}
    absent = sorted(
        each for each, aliases in calls.items() if not offered & set(aliases) and known & set(aliases)
    )
    for each in absent:
        yield Finding(
            "services",
            Level.RED,
            f"{each} is not offered in {session.region_name}",
            f"deploy to another region, such as {PRICING_REGION}: AWS_REGION={PRICING_REGION}",
            {"service": each},
        )
    if not absent:
        yield Finding("services", Level.GREEN, f"{len(needed)} services are offered in {session.region_name}")


def instance_types(workloads: Sequence[WorkloadSpec]) -> dict[str, set[str]]:
    """Return the instance types that are used, each with the components of the price list it is used as."""
    used: dict[str, set[str]] = {}
    for spec in workloads:
        uses = ("processing",) if spec.is_streaming else ("training", "processing")
        used.setdefault(spec.training.instance_type, set()).update(uses)
        if spec.endpoint is not None and spec.endpoint.serverless is None:
            used.setdefault(spec.endpoint.instance_type, set()).add("hosting")
    used.setdefault(ServiceSettings(region="").job_instance, set()).update(("training", "processing"))
    return used


def hour_prices(session: boto3.Session, kind: str) -> dict[str, float]:
    """Return the price of an hour of an instance type in the session's region by component, USD.

    Empty where the type is not offered there.
    """
    client = session.client("pricing", region_name=PRICING_REGION)
    return {
        str(product["product"]["attributes"].get("component", "")).lower(): usd
        for product in products(
            client, "AmazonSageMaker", regionCode=str(session.region_name), instanceName=kind
        )
        for usd in on_demand(product)
    }


def check_instances(
    session: boto3.Session, workloads: Sequence[WorkloadSpec], prices: dict[str, float]
) -> Iterator[Finding]:
    """Ask the Price List API for every instance type; what it knows of endpoints goes into `prices`."""
    for kind, uses in sorted(instance_types(workloads).items()):
        found = hour_prices(session, kind)
        absent = [use for use in sorted(uses) if use not in found]
        if "hosting" in found:
            prices[kind] = found["hosting"]
        if not found:
            yield Finding(
                "instances",
                Level.RED,
                f"{kind} is not offered by SageMaker in {session.region_name}",
                "name another instance_type in the workload's endpoint or training, or another region",
                {"instance_type": kind},
            )
        elif absent:
            words = ", ".join(_USES[use] for use in absent)
            yield Finding(
                "instances",
                Level.YELLOW,
                f"{kind}: AWS's price list of {session.region_name} does not name it as {words}",
                figures={"instance_type": kind, "absent": absent},
            )
        else:
            yield Finding("instances", Level.GREEN, f"{kind} is offered in {session.region_name}")
