"""What wakes someone, and what they see."""

from __future__ import annotations

import json

from tests.infra.templates import Templates, flat
from watchkeeper.core import layout

STACK = "WatchkeeperMonitoring"
PUMP = layout.workload_stack("pump_pressure")


def metrics_of(templates: Templates, part: str) -> set[str]:
    return {
        metric["MetricStat"]["Metric"]["MetricName"]
        for each in templates.resources("AWS::CloudWatch::Alarm", stack=STACK)
        if part in each.properties.get("AlarmName", "")
        for metric in each.properties["Metrics"]
    }


def test_a_workload_has_alarms_on_its_endpoint_and_its_anomalies_alone(templates: Templates) -> None:
    """Each has its price: what needs no alarm a workload has one for all of them."""
    alarms = templates.resources("AWS::CloudWatch::Alarm", stack=PUMP)
    assert {each.properties["MetricName"] for each in alarms} == {
        "Invocation5XXErrors",
        "ModelLatency",
        "anomalies",
    }


def test_late_scores_of_any_workload_are_told_by_one_alarm(templates: Templates) -> None:
    alarm = templates.one("AWS::CloudWatch::Alarm", stack=STACK, having="Lag").properties
    assert (alarm["MetricName"], alarm["Statistic"]) == ("publish_to_score_lag", "Maximum")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "score_telemetry"}]


def test_runs_that_fail_time_out_or_are_stopped_are_kept_and_told(templates: Templates) -> None:
    rule = templates.one("AWS::Events::Rule", stack="WatchkeeperTraining", having="FailedRuns").properties
    detail = rule["EventPattern"]["detail"]
    (machines,) = detail["stateMachineArn"]
    assert flat(machines["prefix"]).endswith(":stateMachine:watchkeeper-")
    assert detail["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    named = {
        each.properties["StateMachineName"]
        for each in templates.resources("AWS::StepFunctions::StateMachine")
        if each.stack.startswith("Watchkeeper-")
    }
    assert {"watchkeeper-pump-pressure-training", "watchkeeper-abalone-drift"} < named
    assert all(name.startswith("watchkeeper-") for name in named)
    assert metrics_of(templates, "FailedRuns") == {"ApproximateNumberOfMessagesVisible"}


def test_shared_parts_have_alarms_on_age_dead_letters_errors_and_throttling(templates: Templates) -> None:
    waiting = {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}
    assert metrics_of(templates, "ScoreQueue") == waiting
    assert metrics_of(templates, "AlertQueue") == waiting
    assert metrics_of(templates, "AnomalyQueue") == waiting
    assert metrics_of(templates, "GroupAnomalies") == {"Errors", "Throttles"}
    assert metrics_of(templates, "DeadLetters") == {"ApproximateNumberOfMessagesVisible"}
    assert metrics_of(templates, "Undelivered") == {"ApproximateNumberOfMessagesVisible"}
    assert metrics_of(templates, "ScoreTelemetry") == {"Errors", "Throttles"}
    assert metrics_of(templates, "PublishAlert") == {"Errors", "Throttles"}
    assert metrics_of(templates, "Delivery") == {"ThrottledRecords"}


def test_telemetry_that_does_not_become_objects_is_told(templates: Templates) -> None:
    stream = templates.outputs("WatchkeeperIngestion")["DeliveryStreamName"]["Ref"]
    told = {
        each.properties["MetricName"]: (each.properties["Threshold"], each.properties["TreatMissingData"])
        for each in templates.resources("AWS::CloudWatch::Alarm", stack=STACK)
        if each.properties.get("Namespace") == "AWS/Firehose"
        and stream in flat(each.properties["Dimensions"][0]["Value"])
    }
    assert told == {
        "DeliveryToS3.DataFreshness": (900, "notBreaching"),
        "DeliveryToS3.Success": (1, "notBreaching"),
    }


def test_workloads_that_fall_silent_are_counted_and_told_by_one_alarm(templates: Templates) -> None:
    rule = templates.one("AWS::Events::Rule", stack="WatchkeeperScoring", having="Silence").properties
    assert rule["ScheduleExpression"] == "rate(30 minutes)"
    alarm = templates.one("AWS::CloudWatch::Alarm", stack=STACK, having="Silence").properties
    assert (alarm["MetricName"], alarm["Threshold"]) == ("silent_workloads", 0)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "watch_telemetry"}]
    assert metrics_of(templates, "WatchTelemetry") == {"Errors", "Throttles"}


def test_refused_telemetry_is_kept_and_told(templates: Templates) -> None:
    rule = templates.one("AWS::Events::Rule", stack="WatchkeeperScoring", having="Refused").properties
    assert rule["EventPattern"]["detail"]["object"]["key"] == [{"prefix": "raw-errors/"}]
    assert metrics_of(templates, "RefusedTelemetry") == {"ApproximateNumberOfMessagesVisible"}


def test_the_topic_is_told_before_the_months_budget_is_spent(templates: Templates) -> None:
    budget = templates.one("AWS::Budgets::Budget", stack=STACK).properties
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 500, "Unit": "USD"}
    told = {
        each["Notification"]["NotificationType"]: each["Notification"]["Threshold"]
        for each in budget["NotificationsWithSubscribers"]
        if ["AlertsTopic" in flat(to["Address"]) for to in each["Subscribers"]] == [True]
    }
    assert told == {"ACTUAL": 80, "FORECASTED": 100}


def test_every_dead_letter_queue_is_watched(templates: Templates) -> None:
    watched = {
        (alarm.stack, flat(dimension["Value"]))
        for alarm in templates.resources("AWS::CloudWatch::Alarm")
        for metric in alarm.properties.get("Metrics", [])
        if metric["MetricStat"]["Metric"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for dimension in metric["MetricStat"]["Metric"]["Dimensions"]
    }
    dead = [each for each in templates.resources("AWS::SQS::Queue") if "RedrivePolicy" not in each.properties]
    assert len(dead) == len(watched)
    assert all(any(queue.logical_id in name for _, name in watched) for queue in dead)


def test_every_alarm_tells_the_alert_topic(templates: Templates) -> None:
    alarms = templates.resources("AWS::CloudWatch::Alarm")
    assert len(alarms) > 20
    for alarm in alarms:
        for actions in (alarm.properties["AlarmActions"], alarm.properties["OKActions"]):
            assert [
                "AlertsTopic" in flat(action) or flat(action) == "<WatchkeeperAlerting:AlertTopicArn>"
                for action in actions
            ] == [True], str(alarm)
        assert alarm.properties.get("ActionsEnabled", True) is True


def test_a_days_anomalies_are_too_many_when_they_are_a_weeks(templates: Templates) -> None:
    alarm = templates.one("AWS::CloudWatch::Alarm", stack=PUMP, having="Anomalies").properties
    assert alarm["Threshold"] == 7
    assert alarm["Period"] == 86_400
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        "service": "score_telemetry",
        "workload": "pump_pressure",
    }


def test_one_dashboard_shows_endpoints_scoring_trainings_and_queue_of_any_workload(
    templates: Templates,
) -> None:
    (dashboard,) = templates.resources("AWS::CloudWatch::Dashboard")
    body = json.loads(flat(dashboard.properties["DashboardBody"]).replace("<", "").replace(">", ""))
    text = json.dumps(body["widgets"])
    for shown in (
        "publish_to_score_lag",
        "intervals_scored",
        "ExecutionsFailed",
        "ApproximateAgeOfOldestMessage",
        "Invocation5XXErrors",
    ):
        assert shown in text, shown
    assert {each["property"]: each["populateFrom"] for each in body["variables"]} == {
        "workload": "workload",
        "EndpointName": "EndpointName",
    }
    assert "pump" not in text
    assert dashboard.properties["DashboardName"] == templates.outputs(STACK)["DashboardName"]
