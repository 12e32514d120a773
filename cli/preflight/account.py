"""What the account has already: the CDK's bootstrap, earlier stacks, names, and what was left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import ClientError

from cli.assembly import Assembly
from cli.preflight.finding import Finding, Level
from cli.retained import adoptable, is_there, retained_of
from cli.stacks import STORAGE
from watchkeeper.core import layout

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
"""Where `cdk bootstrap` writes the version of what it made; the qualifier is the CDK's default."""
_READY = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"})


def check_console(session: boto3.Session) -> Iterator[Finding]:
    """Tell what may keep the console's stack from being made: AWS looks at new accounts before CloudFront."""
    found = session.client("cloudfront").list_distributions(MaxItems="1")["DistributionList"]
    if found.get("Quantity", 0):
        yield Finding("console", Level.GREEN, "the account has CloudFront")
    else:
        yield Finding(
            "console",
            Level.YELLOW,
            "the account has no CloudFront distribution yet, and AWS may refuse a new account its first one",
            'if it does, ask AWS Support to verify the account; until then `"console": "off"` in cdk.json',
        )


@dataclass(frozen=True)
class Deployed:
    """The project's stacks as the account has them."""

    session: boto3.Session
    stacks: frozenset[str] = field(default=frozenset())

    @cached_property
    def states(self) -> dict[str, str]:
        """Status of each of the stacks that is there."""
        pages = self.session.client("cloudformation").get_paginator("describe_stacks").paginate()
        found = {stack["StackName"]: stack["StackStatus"] for page in pages for stack in page["Stacks"]}
        return {name: found[name] for name in sorted(self.stacks & found.keys())}

    @cached_property
    def resources(self) -> list[tuple[str, str]]:
        """`(type, physical id)` of each resource of the stacks."""
        client = self.session.client("cloudformation")
        return [
            (resource["ResourceType"], resource.get("PhysicalResourceId", ""))
            for name in self.states
            for page in client.get_paginator("list_stack_resources").paginate(StackName=name)
            for resource in page["StackResourceSummaries"]
        ]

    @property
    def counts(self) -> Counter[str]:
        """How many resources there are of each type, stacks too."""
        return Counter(kind for kind, _ in self.resources) + Counter(
            {"AWS::CloudFormation::Stack": len(self.states)}
        )


def check_bootstrap(session: boto3.Session, assembly: Assembly, account: str) -> Iterator[Finding]:
    """Compare what `cdk bootstrap` made with what the templates require."""
    needed, command = (
        assembly.bootstrap_version,
        (f"node_modules/.bin/cdk bootstrap aws://{account}/{session.region_name}"),
    )
    try:
        found = session.client("ssm").get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        text = f"the region is not bootstrapped (no {BOOTSTRAP_PARAMETER}); `watchkeeper deploy` does it"
        yield Finding("bootstrap", Level.YELLOW, text, command, {"needed": needed, "present": None})
        return
    figures = {"needed": needed, "present": int(found)}
    if int(found) < needed:
        text = f"the CDK's bootstrap has version {found}, the templates need {needed}"
        yield Finding("bootstrap", Level.RED, text, command, figures)
    else:
        yield Finding("bootstrap", Level.GREEN, f"version {found}, needed {needed}", figures=figures)


def check_stacks(deployed: Deployed) -> Iterator[Finding]:
    """Look at earlier stacks: one that is broken or at work takes no update."""
    for name, status in deployed.states.items():
        if status in _READY:
            continue
        figures = {"stack": name, "status": status}
        if status.endswith("_IN_PROGRESS"):
            remedy = f"wait: aws cloudformation describe-stacks --stack-name {name}"
        elif status == "UPDATE_ROLLBACK_FAILED":
            remedy = f"aws cloudformation continue-update-rollback --stack-name {name}"
        else:
            remedy = f"aws cloudformation delete-stack --stack-name {name}"
        yield Finding("stacks", Level.RED, f"stack {name} is {status}", remedy, figures)
    if all(status in _READY for status in deployed.states.values()):
        there = len(deployed.states)
        text = (
            f"{there} of {len(deployed.stacks)} stacks are there and take updates"
            if there
            else "no earlier stack"
        )
        yield Finding("stacks", Level.GREEN, text)


def check_names(session: boto3.Session, assembly: Assembly, deployed: Deployed) -> Iterator[Finding]:
    """Look for what has a name of ours and is not of our stacks: CloudFormation could not make it."""
    ours, taken = set(deployed.resources), 0
    for kind, naming in _NAMED.items():
        names = [resource.properties.get(naming.property) for resource in assembly.of_type(kind)]
        wanted = {name for name in names if isinstance(name, str)}  # others are made of what is deployed
        for name in sorted(wanted & naming.existing(session)):
            if any(each == kind and name in identity for each, identity in ours):
                continue
            taken += 1
            yield Finding(
                "names",
                Level.RED,
                f"{naming.what} {name} is there and is not of a stack of Watchkeeper",
                naming.remedy.format(name=name),
                {"type": kind, "name": name},
            )
    for endpoint in _foreign_endpoints(session):
        taken += 1
        yield Finding(
            "names",
            Level.RED,
            f"endpoint {endpoint} is there and no training of Watchkeeper made it",
            f"aws sagemaker delete-endpoint --endpoint-name {endpoint}",
            {"type": "AWS::SageMaker::Endpoint", "name": endpoint},
        )
    if not taken:
        yield Finding("names", Level.GREEN, "no name is taken")


def check_retained(session: boto3.Session, deployed: Deployed) -> Iterator[Finding]:
    """Look for what removed stacks have left: a deployment adopts what the last one kept, no more."""
    live = {identity for _, identity in deployed.resources}
    left = [
        (kind, name)
        for kind, name in retained_of(session).resources
        if name not in live and is_there(session, kind, name)
    ]
    kept = {} if STORAGE in deployed.states else adoptable(session, STORAGE)
    adopted = {name for identifier in kept.values() for name in identifier.values()}
    for kind, name in left:
        if name in adopted:
            text = f"{kind} {name} is left of an earlier deployment, and adopted by this one"
            yield Finding("retained", Level.GREEN, text, None, {"kind": kind, "name": name})
            continue
        yield Finding(
            "retained",
            Level.YELLOW,
            f"{kind} {name} is left of an earlier deployment: this one makes its own and does not adopt it",
            "`watchkeeper destroy --delete-data --yes` removes it, with the data of what is deployed",
            {"kind": kind, "name": name},
        )
    if not left:
        yield Finding("retained", Level.GREEN, "nothing is left of an earlier deployment")


@dataclass(frozen=True)
class _Naming:
    what: str
    property: str
    existing: Callable[[boto3.Session], set[str]]
    remedy: str


def _listed(
    service: str, operation: str, path: str, **parameters: Any
) -> Callable[[boto3.Session], set[str]]:
    def existing(session: boto3.Session) -> set[str]:
        collection, member = path.split(".")
        pages = session.client(service).get_paginator(operation).paginate(**parameters)
        return {item[member] for page in pages for item in page[collection]}

    return existing


def _buses(session: boto3.Session) -> set[str]:
    return {bus["Name"] for bus in session.client("events").list_event_buses()["EventBuses"]}


_NAMED = {
    "AWS::SageMaker::ModelPackageGroup": _Naming(
        "model package group",
        "ModelPackageGroupName",
        _listed(
            "sagemaker",
            "list_model_package_groups",
            "ModelPackageGroupSummaryList.ModelPackageGroupName",
            NameContains=layout.PREFIX,
        ),
        "aws sagemaker delete-model-package-group --model-package-group-name {name}",
    ),
    "AWS::SSM::Parameter": _Naming(
        "parameter",
        "Name",
        _listed(
            "ssm",
            "describe_parameters",
            "Parameters.Name",
            ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": [f"/{layout.PREFIX}/"]}],
        ),
        "aws ssm delete-parameter --name {name}",
    ),
    "AWS::IoT::TopicRule": _Naming(
        "topic rule",
        "RuleName",
        _listed("iot", "list_topic_rules", "rules.ruleName"),
        "aws iot delete-topic-rule --rule-name {name}",
    ),
    "AWS::IoT::Policy": _Naming(
        "IoT policy",
        "PolicyName",
        _listed("iot", "list_policies", "policies.policyName"),
        "aws iot delete-policy --policy-name {name}",
    ),
    "AWS::IoT::ThingGroup": _Naming(
        "thing group",
        "ThingGroupName",
        _listed("iot", "list_thing_groups", "thingGroups.groupName", namePrefixFilter=f"{layout.PREFIX}-"),
        "aws iot delete-thing-group --thing-group-name {name}",
    ),
    "AWS::IoT::ProvisioningTemplate": _Naming(
        "provisioning template",
        "TemplateName",
        _listed("iot", "list_provisioning_templates", "templates.templateName"),
        "aws iot delete-provisioning-template --template-name {name}",
    ),
    "AWS::Logs::LogGroup": _Naming(
        "log group",
        "LogGroupName",
        _listed(
            "logs", "describe_log_groups", "logGroups.logGroupName", logGroupNamePrefix="/aws/vendedlogs/"
        ),
        "aws logs delete-log-group --log-group-name {name}",
    ),
    "AWS::CloudWatch::Dashboard": _Naming(
        "dashboard",
        "DashboardName",
        _listed("cloudwatch", "list_dashboards", "DashboardEntries.DashboardName"),
        "aws cloudwatch delete-dashboards --dashboard-names {name}",
    ),
    "AWS::CloudWatch::Alarm": _Naming(
        "alarm",
        "AlarmName",
        _listed("cloudwatch", "describe_alarms", "MetricAlarms.AlarmName"),
        "aws cloudwatch delete-alarms --alarm-names {name}",
    ),
    "AWS::Events::EventBus": _Naming(
        "event bus", "Name", _buses, "aws events delete-event-bus --name {name}"
    ),
}


def _foreign_endpoints(session: boto3.Session) -> Iterator[str]:
    client = session.client("sagemaker")
    for page in client.get_paginator("list_endpoints").paginate(NameContains=f"{layout.PREFIX}-"):
        for endpoint in page["Endpoints"]:
            tags = client.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
            if not any(tag["Key"].startswith(f"{layout.PREFIX}:") for tag in tags):
                yield endpoint["EndpointName"]
