"""`watchkeeper subscribe`: tell somebody, or a program, of a workload's alerts, without a deployment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import boto3
import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from cli.specs import AsJson, WorkloadName
from cli.stacks import ALERTING, Deployment
from cli.watched import Watched
from lambdas.adapters.alert_subscriptions import SnsSubscribers
from watchkeeper.command.screen import console, done, note, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.spec.alerting import Subscription

Protocol = Literal["email", "https", "sqs", "lambda"]
STATEMENT = "WatchkeeperAlerts"
"""What our statement in a queue's or function's policy is called."""


def subscribe(
    workload: WorkloadName,
    protocol: Annotated[Protocol | None, typer.Argument(help="How alerts are delivered.")] = None,
    endpoint: Annotated[
        str | None, typer.Argument(help="E-mail address, https URL, or ARN of a queue or function.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="Alerts of this channel of the workload's routes; without it of all.")
    ] = None,
    severity_at_least: Annotated[
        float | None, typer.Option(min=0, max=100, help="Only alerts that are so severe.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="End the subscription.")] = False,
    as_json: AsJson = False,
) -> None:
    """Subscribe to a workload's alerts; without protocol and endpoint, list who is subscribed.

    The workload's file can say the same (`alerts: routes: subscription:`): what is there is deployed.
    """
    session = boto3.Session()
    plan = Watched(session).plan(workload)
    outputs = Deployment(session).outputs(ALERTING)
    topic = outputs["AlertTopicArn"]
    if protocol is None or endpoint is None:
        if protocol is not None:
            raise InvalidInputError(f"{protocol} of whom? Name the endpoint too, such as ops@example.com")
        _list(list(subscriptions_of(session, topic, plan.workload)), as_json)
        return
    check_endpoint(protocol, endpoint)
    if remove:
        _remove(session, topic, plan.workload, protocol, endpoint)
        return
    policy = filter_policy(plan, channel, severity_at_least)
    if protocol == "sqs":
        permit_queue(session, endpoint, topic)
    elif protocol == "lambda":
        permit_function(session, endpoint, topic)
    arn = _subscribed(session, outputs, plan.workload, (protocol, endpoint), policy)
    done(f"{endpoint} gets the alerts of {plan.workload}: {arn}")
    if protocol in ("email", "https"):
        say("it has to be confirmed first: AWS has sent a link there")
    say(f"`watchkeeper subscribe {plan.workload} {protocol} {endpoint} --remove` ends it")


def filter_policy(plan: WorkloadPlan, channel: str | None, severity_at_least: float | None) -> dict[str, Any]:
    """Return which alerts a subscription lets through.

    Raises
    ------
    InvalidInputError
        If the workload has no routes, so that nobody is ever told, or no such channel.
    """
    channels = sorted({route.channel for route in plan.alerts.routes})
    if not channels:
        raise InvalidInputError(
            f"workload {plan.workload} has no routes, so no alert is ever sent: add "
            f"`alerts: {{routes: [{{channel: operators}}]}}` to its file and deploy"
        )
    if channel is not None and channel not in channels:
        raise InvalidInputError(f"--channel {channel!r}: workload {plan.workload} has {', '.join(channels)}")
    policy: dict[str, Any] = {
        "workload": [plan.workload],
        "routes": channels if channel is None else [channel],
    }
    if severity_at_least is not None:
        policy["severity"] = [{"numeric": [">=", severity_at_least]}]
    return policy


def check_endpoint(protocol: Protocol, endpoint: str) -> None:
    """Refuse an endpoint that is not of its protocol.

    Raises
    ------
    InvalidInputError
        With what it must be.
    """
    if protocol == "lambda":
        if not (endpoint.startswith("arn:") and ":function:" in endpoint):
            raise InvalidInputError(f"endpoint {endpoint!r}: must be the ARN of a Lambda function")
        return
    try:
        Subscription(protocol=protocol, endpoint=endpoint)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InvalidInputError(f"endpoint {endpoint!r}: {said}") from error


def permit_queue(session: boto3.Session, queue_arn: str, topic_arn: str) -> None:
    """Let the topic send to a queue; what its policy says beside stays.

    Raises
    ------
    InvalidInputError
        If there is no such queue.
    """
    client = session.client("sqs", region_name=queue_arn.split(":")[3])
    name, owner = queue_arn.split(":")[5], queue_arn.split(":")[4]
    try:
        url = client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=owner)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist as error:
        raise InvalidInputError(f"endpoint {queue_arn!r}: there is no such queue") from error
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "KmsMasterKeyId"])
    attributes = found.get("Attributes", {})
    document = json.loads(attributes.get("Policy") or '{"Version": "2012-10-17", "Statement": []}')
    statement = {
        "Sid": STATEMENT,
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    if statement not in document["Statement"]:
        others = [each for each in document["Statement"] if each.get("Sid") != STATEMENT]
        document["Statement"] = [*others, statement]
        client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})
    if attributes.get("KmsMasterKeyId"):
        note(
            f"the queue is encrypted with {attributes['KmsMasterKeyId']}: its key policy must let "
            "sns.amazonaws.com use kms:GenerateDataKey and kms:Decrypt, or alerts stay in the queue of what "
            "was not delivered"
        )


def permit_function(session: boto3.Session, function_arn: str, topic_arn: str) -> None:
    """Let the topic call a function.

    Raises
    ------
    InvalidInputError
        If there is no such function.
    """
    client = session.client("lambda", region_name=function_arn.split(":")[3])
    try:
        client.add_permission(
            FunctionName=function_arn,
            StatementId=f"{STATEMENT}-{short_hash(topic_arn, 8)}",
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
            SourceArn=topic_arn,
        )
    except client.exceptions.ResourceConflictException:
        return  # it may already
    except client.exceptions.ResourceNotFoundException as error:
        raise InvalidInputError(f"endpoint {function_arn!r}: there is no such function") from error


def subscriptions_of(session: boto3.Session, topic_arn: str, workload: str) -> Iterator[dict[str, Any]]:
    """Yield who gets a workload's alerts: protocol, endpoint, state, channels, severity, ARN."""
    subscribers = SnsSubscribers(session.client("sns"), session.client("sqs"), topic_arn, "")
    for each in subscribers.of(workload):
        yield {
            "protocol": each.protocol,
            "endpoint": each.endpoint,
            "arn": each.arn,
            "state": "confirmed" if each.confirmed else "not confirmed",
            "channels": None if each.channels is None else list(each.channels),
            "severity_at_least": each.severity_at_least,
        }


def _list(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for each in found:
            console.out(json.dumps(each), highlight=False)
        return
    if not found:
        note("nobody is subscribed")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("protocol", "endpoint", "state", "channels", "from severity"):
        table.add_column(name, overflow="fold")
    for each in found:
        least = each["severity_at_least"]
        table.add_row(
            each["protocol"],
            escape(each["endpoint"]),
            each["state"],
            "" if each["state"] == "not confirmed" else ", ".join(each["channels"] or ["all"]),
            "" if least is None else f"{least:g} and more",
        )
    console.print(table)


def joined(before: dict[str, Any], wanted: dict[str, Any], workload: str) -> dict[str, Any]:
    """Return the filter of a subscription that has one already: SNS keeps one of an endpoint and topic.

    Raises
    ------
    InvalidInputError
        If one filter cannot say both.
    """
    others = [name for name in before.get("workload", []) if name != workload]
    if not others:
        return wanted
    if before.get("severity") != wanted.get("severity"):
        raise InvalidInputError(
            f"it gets alerts of {', '.join(others)} with another --severity-at-least, and AWS keeps one "
            "subscription of an endpoint: give the same one, or another endpoint"
        )
    channels = sorted({*before.get("routes", []), *wanted["routes"]})
    return {**wanted, "workload": sorted({*others, workload}), "routes": channels}


def _subscribed(
    session: boto3.Session,
    outputs: dict[str, str],
    workload: str,
    whom: tuple[Protocol, str],
    policy: dict[str, Any],
) -> str:
    """Subscribe, or change the subscription that there is, and return its ARN."""
    client, topic = session.client("sns"), outputs["AlertTopicArn"]
    found = _existing(session, topic, *whom)
    if found is not None:
        arn, before = found
        _set_filter(session, arn, joined(before, policy, workload))
        return arn
    answer = client.subscribe(
        TopicArn=topic,
        Protocol=whom[0],
        Endpoint=whom[1],
        Attributes={
            "FilterPolicy": json.dumps(policy),
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": outputs["UndeliveredAlertsArn"]}),
        },
        ReturnSubscriptionArn=True,
    )
    subscription_arn: str = answer["SubscriptionArn"]
    return subscription_arn


def _existing(
    session: boto3.Session, topic: str, protocol: str, endpoint: str
) -> tuple[str, dict[str, Any]] | None:
    """Return the confirmed subscription of an endpoint, whatever its workloads, and its filter."""
    client = session.client("sns")
    for page in client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
        for found in page["Subscriptions"]:
            arn = found["SubscriptionArn"]
            if (found["Protocol"], found["Endpoint"]) == (protocol, endpoint) and arn.startswith("arn:"):
                said = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
                return arn, json.loads(said.get("FilterPolicy") or "{}")
    return None


def _set_filter(session: boto3.Session, arn: str, policy: dict[str, Any]) -> None:
    session.client("sns").set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue=json.dumps(policy)
    )


def _remove(session: boto3.Session, topic: str, workload: str, protocol: str, endpoint: str) -> None:
    found = _existing(session, topic, protocol, endpoint)
    if found is None or workload not in found[1].get("workload", []):
        raise InvalidInputError(
            f"{protocol} {endpoint}: has no confirmed subscription to the alerts of {workload}; "
            f"`watchkeeper subscribe {workload}` lists them (one that nobody confirms ends by itself)"
        )
    arn, policy = found
    others = [name for name in policy["workload"] if name != workload]
    if others:
        _set_filter(session, arn, {**policy, "workload": others})
    else:
        session.client("sns").unsubscribe(SubscriptionArn=arn)
    done(f"{endpoint} gets no alerts of {workload} any more")
