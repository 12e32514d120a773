"""What a regression workload adds, and what it does not."""

from __future__ import annotations

import re

import pytest

from tests.infra.templates import Templates, flat, many
from watchkeeper.core import layout

REGRESSIONS = ["abalone", "valve_wear", "pipe_wear"]


def permissions(templates: Templates, workload: str, role: str) -> dict[str, set[str]]:
    """Actions of a role of the workload's stack, each with its resources."""
    found: dict[str, set[str]] = {}
    for resource, statement in templates.statements():
        if resource.stack == layout.workload_stack(workload) and resource.logical_id.startswith(role):
            for action in many(statement["Action"]):
                found.setdefault(action, set()).update(map(flat, many(statement["Resource"])))
    return found


@pytest.mark.parametrize("name", REGRESSIONS)
def test_a_table_takes_no_telemetry(templates: Templates, name: str) -> None:
    kinds = {each.type for each in templates.resources(stack=layout.workload_stack(name))}
    assert "AWS::StepFunctions::StateMachine" in kinds
    assert not {"AWS::IoT::TopicRule", "AWS::Events::Rule"} & kinds
    jobs = permissions(templates, name, "Jobs")
    assert not [arn for arn in jobs["s3:GetObject"] if "/raw/" in arn]


def test_only_workflows_that_explain_call_the_functions_of_explanations(templates: Templates) -> None:
    for name in (*REGRESSIONS, "water_flow"):
        called = permissions(templates, name, "Workflow")["lambda:InvokeFunction"]
        explaining = {
            arn for arn in called if re.search("WriteExplainConfiguration|SummarizeExplanation", arn)
        }
        assert len(called) == (9 if name in REGRESSIONS else 7)
        assert len(explaining) == (2 if name in REGRESSIONS else 0)


def test_a_shadow_endpoint_is_made_only_where_one_is_asked(templates: Templates) -> None:
    making = {
        name: permissions(templates, name, "Jobs").get("sagemaker:CreateEndpoint") for name in REGRESSIONS
    }

    assert making["abalone"] is None
    assert making["pipe_wear"] == {
        "arn:aws:sagemaker:eu-west-1:<AWS::AccountId>:endpoint/watchkeeper-pipe-wear-explain-*",
        "arn:aws:sagemaker:eu-west-1:<AWS::AccountId>:endpoint-config/watchkeeper-pipe-wear-explain-*",
    }
    assert making["valve_wear"] is not None, "Clarify makes one"


def test_a_baseline_in_s3_is_read_by_its_name_alone(templates: Templates) -> None:
    read = permissions(templates, "valve_wear", "Jobs")["s3:GetObject"]

    assert {arn for arn in read if "reference" in arn} == {"arn:aws:s3:::reference/valves/baseline.csv"}


def test_a_role_pulls_the_images_of_its_own_workflow(templates: Templates) -> None:
    def pulled(name: str) -> set[str]:
        return {arn.rpartition("/")[2] for arn in permissions(templates, name, "Jobs")["ecr:BatchGetImage"]}

    assert pulled("abalone") == {"sagemaker-scikit-learn"}
    assert pulled("valve_wear") == {"sagemaker-scikit-learn", "sagemaker-clarify-processing"}


def test_who_is_named_hears_how_trainings_end(templates: Templates) -> None:
    (subscription,) = [
        each for each in templates.resources("AWS::SNS::Subscription") if "Trainings" in each.logical_id
    ]

    assert subscription.properties["Endpoint"] == "someone@example.com"
    assert subscription.properties["FilterPolicy"] == {
        "workload": ["valve_wear"],
        "outcome": ["deployed", "rejected", "failed"],
    }


def test_no_alarm_waits_for_anomalies_of_a_table(templates: Templates) -> None:
    def alarms(name: str) -> set[str]:
        found = templates.resources("AWS::CloudWatch::Alarm", stack=layout.workload_stack(name))
        return {each.properties["MetricName"] for each in found}

    assert alarms("pipe_wear") == {"Invocation5XXErrors", "ModelLatency"}
    assert "anomalies" in alarms("water_flow")
