"""What wakes someone, and what they see."""

from __future__ import annotations

import json

from tests.infra.templates import Templates, flat
from watchkeeper.core import layout

STACK = "WatchkeeperMonitoring"


def metrics_of(templates: Templates, part: str) -> set[str]:
    return {
        metric["MetricStat"]["Metric"]["MetricName"]
        for each in templates.resources("AWS::CloudWatch::Alarm", stack=STACK)
        if part in each.properties["AlarmName"]
        for metric in each.properties["Metrics"]
    }


def test_a_workload_has_alarms_on_lag_anomalies_and_training(templates: Templates) -> None:
    assert metrics_of(templates, "PumpPressure") == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "anomalies",
        "publish_to_score_lag",
    }


def test_shared_parts_have_alarms_on_age_dead_letters_errors_and_throttling(templates: Templates) -> None:
    waiting = {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"}
    assert metrics_of(templates, "ScoreQueue") == waiting
    assert metrics_of(templates, "AlertQueue") == waiting
    assert metrics_of(templates, "DeadLetters") == {"ApproximateNumberOfMessagesVisible"}
    assert metrics_of(templates, "Undelivered") == {"ApproximateNumberOfMessagesVisible"}
    assert metrics_of(templates, "ScoreTelemetry") == {"Errors", "Throttles"}
    assert metrics_of(templates, "PublishAlert") == {"Errors", "Throttles"}
    assert metrics_of(templates, "Delivery") == {"ThrottledRecords"}


def test_every_dead_letter_queue_is_watched(templates: Templates) -> None:
    watched = {
        flat(dimension["Value"])
        for alarm in templates.resources("AWS::CloudWatch::Alarm", stack=STACK)
        for metric in alarm.properties["Metrics"]
        if metric["MetricStat"]["Metric"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
        for dimension in metric["MetricStat"]["Metric"]["Dimensions"]
    }
    dead = [each for each in templates.resources("AWS::SQS::Queue") if "RedrivePolicy" not in each.properties]
    assert len(dead) == len(watched)
    assert all(any(queue.logical_id in name for name in watched) for queue in dead)


def test_every_alarm_tells_the_alert_topic(templates: Templates) -> None:
    alarms = templates.resources("AWS::CloudWatch::Alarm")
    assert len(alarms) > 20
    for alarm in alarms:
        for actions in (alarm.properties["AlarmActions"], alarm.properties["OKActions"]):
            assert ["AlertsTopic" in flat(action) for action in actions] == [True], str(alarm)
        assert alarm.properties.get("ActionsEnabled", True) is True


def test_a_days_anomalies_are_too_many_when_they_are_a_weeks(templates: Templates) -> None:
    (alarm,) = [
        each.properties
        for each in templates.resources("AWS::CloudWatch::Alarm", stack=STACK)
        if "PumpPressure-Scoring-Anomalies" in each.properties["AlarmName"]
    ]
    (metric,) = alarm["Metrics"]
    assert alarm["Threshold"] == 7
    assert metric["MetricStat"]["Period"] == 86_400
    assert {each["Name"]: each["Value"] for each in metric["MetricStat"]["Metric"]["Dimensions"]} == {
        "service": "score_telemetry",
        "workload": "pump_pressure",
    }


def test_dashboard_shows_endpoint_scoring_training_and_queue(templates: Templates) -> None:
    dashboard = templates.one("AWS::CloudWatch::Dashboard", stack=STACK, having="PumpPressure").properties
    text = flat(dashboard["DashboardBody"])
    for shown in (
        layout.endpoint_name("pump_pressure"),
        "publish_to_score_lag",
        "intervals_scored",
        "ExecutionsFailed",
        "ApproximateAgeOfOldestMessage",
    ):
        assert shown in text, shown
    assert dashboard["DashboardName"] == templates.outputs(STACK)["DashboardNamePumpPressure"]
    assert json.loads(text.replace("<", "").replace(">", ""))["widgets"]
