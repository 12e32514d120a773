"""What Watchkeeper delivers itself: a queue, a function and an alarm a workload, and nothing of another's."""

from __future__ import annotations

import json

from tests.infra.templates import Resource, Templates

STACK = "Watchkeeper-kiln-heat"


def of_kiln(templates: Templates, type_: str, begins: str = "AlertDelivery") -> list[Resource]:
    return [
        each
        for each in templates.resources(type_)
        if each.stack == STACK and each.logical_id.startswith(begins)
    ]


def test_a_workload_has_one_function_that_knows_the_targets_of_its_routes(templates: Templates) -> None:
    [function] = of_kiln(templates, "AWS::Lambda::Function")
    targets = json.loads(function.properties["Environment"]["Variables"]["TARGETS"])["by_channel"]
    assert sorted(targets) == ["chat", "plant", "tickets"]
    assert targets["tickets"]["secret"] == "kiln/tickets"
    assert targets["chat"]["by"] == "slack"


def test_the_function_reads_the_secrets_that_its_routes_name_and_puts_to_their_buses(
    templates: Templates,
) -> None:
    [policy] = of_kiln(templates, "AWS::IAM::Policy")
    allowed = {
        statement["Action"]: json.dumps(statement["Resource"])
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if str(statement["Action"]).startswith(("secretsmanager:", "events:"))
    }
    assert allowed["events:PutEvents"] == '"arn:aws:events:us-east-1:123456789012:event-bus/plant"'
    secrets = allowed["secretsmanager:GetSecretValue"]
    assert secrets.count(":secret:") == 2
    assert ":secret:kiln/tickets-??????" in secrets
    assert ":secret:kiln/chat-??????" in secrets


def test_what_a_target_does_not_take_for_a_day_is_a_dead_letter_that_alarms(templates: Templates) -> None:
    [work] = [each for each in of_kiln(templates, "AWS::SQS::Queue") if "RedrivePolicy" in each.properties]
    assert work.properties["RedrivePolicy"]["maxReceiveCount"] == 100
    assert len(of_kiln(templates, "AWS::CloudWatch::Alarm")) == 1


def test_every_target_may_hang_and_the_message_is_held_six_times_as_long(templates: Templates) -> None:
    [function] = of_kiln(templates, "AWS::Lambda::Function")
    [work] = [each for each in of_kiln(templates, "AWS::SQS::Queue") if "RedrivePolicy" in each.properties]
    assert function.properties["Timeout"] == 20 + 3 * 10
    assert work.properties["VisibilityTimeout"] == 6 * function.properties["Timeout"]


def test_the_queue_gets_its_routes_alerts_from_the_alert_topic_alone(templates: Templates) -> None:
    [subscription] = of_kiln(templates, "AWS::SNS::Subscription")
    assert subscription.properties["FilterPolicy"] == {
        "workload": ["kiln_heat"],
        "routes": ["chat", "plant", "tickets"],
    }
    assert subscription.properties["RawMessageDelivery"] is True
    [sends] = [
        statement
        for policy in of_kiln(templates, "AWS::SQS::QueuePolicy")
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


def test_routes_with_one_receiver_share_its_subscription(templates: Templates) -> None:
    """SNS keeps one subscription of an endpoint and topic."""
    [phone] = [
        each
        for each in of_kiln(templates, "AWS::SNS::Subscription", "Route")
        if each.properties["Protocol"] == "sms"
    ]
    assert phone.properties["FilterPolicy"]["routes"] == ["phone", "managers"]


def test_a_digest_is_asked_for_each_day_by_the_clocks_of_the_sources_zone(templates: Templates) -> None:
    [schedule] = of_kiln(templates, "AWS::Scheduler::Schedule", "Digest")
    assert schedule.properties["ScheduleExpression"] == "cron(15 7 * * ? *)"
    assert schedule.properties["ScheduleExpressionTimezone"] == "UTC"
    message = json.loads(schedule.properties["Target"]["Input"])
    assert message == {
        "detail-type": "Digest Due",
        "time": "<aws.scheduler.scheduled-time>",
        "detail": {"workload": "kiln_heat", "channel": "managers"},
    }


def test_publish_alert_may_write_of_incidents_only_what_waits_for_an_answer(templates: Templates) -> None:
    [policy] = [
        each
        for each in templates.resources("AWS::IAM::Policy", stack="WatchkeeperAlerting")
        if each.logical_id.startswith("PublishAlert")
    ]
    [writes] = [
        statement
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if statement["Action"] == "dynamodb:PutItem"
    ]
    assert writes["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["unanswered"]}}
