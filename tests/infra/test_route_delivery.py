"""What Watchkeeper delivers itself: a queue, a function and an alarm a route, and nothing of another's."""

from __future__ import annotations

import json
from typing import Any

from tests.infra.templates import Resource, Templates

STACK = "Watchkeeper-kiln-heat"
CHANNELS = ("chat", "plant", "tickets")


def of_kiln(templates: Templates, type_: str, begins: str) -> list[Resource]:
    return [
        each
        for each in templates.resources(type_)
        if each.stack == STACK and each.logical_id.startswith(begins)
    ]


def test_each_route_has_a_function_that_knows_its_target(templates: Templates) -> None:
    variables = {
        found["CHANNEL"]: json.loads(found["TARGET"])
        for each in of_kiln(templates, "AWS::Lambda::Function", "Delivery")
        for found in [each.properties["Environment"]["Variables"]]
    }
    assert sorted(variables) == sorted(CHANNELS)
    assert variables["tickets"]["secret"] == "kiln/tickets"
    assert variables["chat"]["by"] == "slack"


def test_each_function_reads_the_one_secret_that_its_route_names_or_puts_to_its_bus(
    templates: Templates,
) -> None:
    allowed: dict[str, Any] = {}
    for channel in CHANNELS:
        [policy] = of_kiln(templates, "AWS::IAM::Policy", f"Delivery{channel.capitalize()}")
        allowed[channel] = [
            (statement["Action"], json.dumps(statement["Resource"]))
            for statement in policy.properties["PolicyDocument"]["Statement"]
            if str(statement["Action"]).startswith(("secretsmanager:", "events:"))
        ]
    assert [action for action, _ in allowed["tickets"]] == ["secretsmanager:GetSecretValue"]
    assert ":secret:kiln/tickets-??????" in allowed["tickets"][0][1]
    assert ":secret:kiln/chat-??????" in allowed["chat"][0][1]
    assert allowed["plant"] == [
        ("events:PutEvents", '"arn:aws:events:us-east-1:123456789012:event-bus/plant"')
    ]


def test_what_a_target_does_not_take_for_a_day_is_a_dead_letter_that_alarms(templates: Templates) -> None:
    for channel in CHANNELS:
        begins = f"Delivery{channel.capitalize()}"
        [work] = [
            each
            for each in of_kiln(templates, "AWS::SQS::Queue", begins)
            if "RedrivePolicy" in each.properties
        ]
        assert work.properties["RedrivePolicy"]["maxReceiveCount"] == 100
        assert of_kiln(templates, "AWS::CloudWatch::Alarm", begins)


def test_a_queue_gets_its_routes_alerts_from_the_alert_topic_alone(templates: Templates) -> None:
    for channel in CHANNELS:
        begins = f"Delivery{channel.capitalize()}"
        [subscription] = of_kiln(templates, "AWS::SNS::Subscription", begins)
        assert subscription.properties["FilterPolicy"] == {"workload": ["kiln_heat"], "routes": [channel]}
        assert subscription.properties["RawMessageDelivery"] is True
        policies = of_kiln(templates, "AWS::SQS::QueuePolicy", begins)
        [sends] = [
            statement
            for policy in policies
            for statement in policy.properties["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow"
        ]
        assert sends["Principal"] == {"Service": "sns.amazonaws.com"}
        assert "aws:SourceArn" in sends["Condition"]["ArnEquals"]


def test_a_function_of_the_users_may_be_invoked_by_the_alert_topic(templates: Templates) -> None:
    [permission] = [
        each
        for each in of_kiln(templates, "AWS::Lambda::Permission", "Route")
        if each.properties["Principal"] == "sns.amazonaws.com"
    ]
    assert permission.properties["FunctionName"] == "arn:aws:lambda:us-east-1:123456789012:function:kiln"
    assert permission.properties["SourceArn"]
