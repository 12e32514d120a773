"""The attribution drift monitor of the workloads that ask for one."""

from __future__ import annotations

import re

from lambdas.steps.publish_drift import NDCG_METRIC
from tests.infra.templates import Templates
from watchkeeper.core import layout

STACK = layout.workload_stack("abalone")


def test_only_workloads_with_a_monitor_have_a_state_machine(templates: Templates) -> None:
    machines = [
        each
        for each in templates.resources("AWS::StepFunctions::StateMachine")
        if each.logical_id.startswith("Drift")
    ]

    assert [each.properties["StateMachineName"] for each in machines] == ["watchkeeper-abalone-drift"]


def test_every_placeholder_of_the_definition_has_a_value(templates: Templates) -> None:
    machine = templates.one("AWS::StepFunctions::StateMachine", stack=STACK, having="Drift").properties
    definition = templates.asset(machine["DefinitionS3Location"]["Key"])

    assert set(re.findall(r"\$\{(\w+)\}", definition)) == set(machine["DefinitionSubstitutions"])


def test_the_monitor_runs_at_the_specs_times_and_lost_starts_are_kept(templates: Templates) -> None:
    schedule = templates.one("AWS::Scheduler::Schedule", stack=STACK, having="Drift").properties

    assert schedule["ScheduleExpression"] == "rate(1 day)"
    assert "DeadLetterConfig" in schedule["Target"]


def test_an_alarm_watches_the_metric_that_the_function_writes(templates: Templates) -> None:
    alarm = templates.one("AWS::CloudWatch::Alarm", stack=STACK, having="DriftAlarm").properties

    assert (alarm["Namespace"], alarm["MetricName"]) == ("Watchkeeper", NDCG_METRIC)
    assert {item["Name"]: item["Value"] for item in alarm["Dimensions"]} == {
        "workload": "abalone",
        "service": "publish_drift",
    }
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0.9, "LessThanThreshold")
    assert alarm["TreatMissingData"] == "ignore"
    assert alarm["AlarmActions"]
    assert alarm["OKActions"]
