"""The training workflow of each workload."""

from __future__ import annotations

import json
import re

from pipeline.step import TRAINING
from pipeline.substitutions import Substitution
from tests.infra.templates import Json, Resource, Templates, many
from watchkeeper.core import layout
from watchkeeper.core.plan import WorkloadPlan

STACK = layout.workload_stack("pump_pressure")


def state_machine(templates: Templates) -> Json:
    return templates.one("AWS::StepFunctions::StateMachine", stack=STACK).properties


def definition_of(templates: Templates) -> str:
    return templates.asset(state_machine(templates)["DefinitionS3Location"]["Key"])


def test_every_placeholder_of_a_definition_has_a_value(templates: Templates) -> None:
    properties = state_machine(templates)
    placeholders = set(re.findall(r"\$\{(\w+)\}", definition_of(templates)))
    assert placeholders == set(properties["DefinitionSubstitutions"])
    unused = {
        Substitution.ANALYSIS_CODE_URI,
        Substitution.FRAUD_CODE_ARCHIVE_NAME,
        Substitution.FRAUD_CODE_URI,
        Substitution.REQUESTS_TABLE_NAME,
        Substitution.SIMULATE_FUNCTION_ARN,
    }
    assert placeholders == {each.substitution for each in TRAINING} | set(Substitution) - unused


def test_definition_names_the_regions_images(templates: Templates) -> None:
    assert set(re.findall(r"\.dkr\.ecr\.([a-z0-9-]+)\.", definition_of(templates))) == {"eu-west-1"}


def test_state_machines_log_everything_and_trace(templates: Templates) -> None:
    for machine in templates.resources("AWS::StepFunctions::StateMachine"):
        assert machine.properties["LoggingConfiguration"]["Level"] == "ALL"
        assert machine.properties["LoggingConfiguration"]["IncludeExecutionData"] is True
        assert machine.properties["TracingConfiguration"] == {"Enabled": True}


def test_workflow_logs_need_no_entry_in_the_accounts_resource_policy(templates: Templates) -> None:
    """CloudWatch Logs limits that policy's size, but lets every service deliver under this prefix."""
    for machine in templates.resources("AWS::StepFunctions::StateMachine"):
        (destination,) = machine.properties["LoggingConfiguration"]["Destinations"]
        logical_id = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]
        group = templates.one("AWS::Logs::LogGroup", stack=machine.stack, having=logical_id)
        assert group.properties["LogGroupName"].startswith(f"/aws/vendedlogs/states/{machine.stack}/")


def test_plan_parameter_is_the_plan_that_the_running_parts_read(templates: Templates) -> None:
    properties = templates.one("AWS::SSM::Parameter", stack=STACK, having="PlanParameter").properties
    assert properties["Name"] == layout.plan_parameter("pump_pressure")
    plan = WorkloadPlan.from_json(properties["Value"])
    assert plan.workload == "pump_pressure"
    assert plan.measures[0].name == "pressure"
    assert properties["Tier"] == "Standard"


def test_the_workloads_file_is_beside_its_plan_for_people(templates: Templates) -> None:
    properties = templates.one("AWS::SSM::Parameter", stack=STACK, having="SpecParameter").properties
    assert properties["Name"] == layout.spec_parameter("pump_pressure")
    assert properties["Value"].startswith("name: pump_pressure")


def test_training_starts_at_the_specs_times_with_dead_letters(templates: Templates) -> None:
    (schedule,) = (each.properties for each in _of_training(templates) if each.stack == STACK)
    assert schedule["ScheduleExpression"] == "cron(0 3 ? * MON *)"
    assert schedule["State"] == "ENABLED"
    assert json.loads(schedule["Target"]["Input"]) == {"reason": "scheduled"}
    dead_letters = templates.named(schedule["Target"]["DeadLetterConfig"]["Arn"])
    assert "ScheduleDeadLetters" in dead_letters.logical_id


def test_a_workload_without_schedule_is_trained_by_hand(templates: Templates) -> None:
    scheduled = {each.stack for each in _of_training(templates)}
    assert STACK in scheduled
    assert layout.workload_stack("valve_position") not in scheduled


def test_rollback_alarms_watch_the_workloads_endpoint(templates: Templates) -> None:
    alarms = [
        each.properties
        for each in templates.resources("AWS::CloudWatch::Alarm", stack=STACK)
        if each.logical_id.startswith("Rollback")
    ]
    assert {(alarm["MetricName"], alarm["Statistic"]): alarm["Threshold"] for alarm in alarms} == {
        ("Invocation5XXErrors", "Sum"): 4,
        ("ModelLatency", "Average"): 250_000,
    }
    for alarm in alarms:
        assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
            "EndpointName": layout.endpoint_name("pump_pressure"),
            "VariantName": layout.VARIANT,
        }
        assert alarm["TreatMissingData"] == "notBreaching"


def test_model_code_is_an_archive_by_its_name(templates: Templates) -> None:
    values = state_machine(templates)["DefinitionSubstitutions"]
    assert values["ModelCodeArchiveName"].endswith(".tar.gz")
    assert values["ModelCodeUri"]["Fn::Sub"].endswith(values["ModelCodeArchiveName"])


def test_model_package_groups_are_named_as_the_workflow_registers(templates: Templates) -> None:
    group = templates.one("AWS::SageMaker::ModelPackageGroup", stack=STACK)
    assert group.properties["ModelPackageGroupName"] == layout.endpoint_name("pump_pressure")
    named = state_machine(templates)["DefinitionSubstitutions"]["ModelPackageGroupName"]
    assert named == group.properties["ModelPackageGroupName"]


def test_a_workload_without_endpoint_makes_no_model_and_no_alarm_and_may_not(templates: Templates) -> None:
    stack = layout.workload_stack("tank_level")
    alarms = templates.resources("AWS::CloudWatch::Alarm", stack=stack)
    roles = {each.logical_id for each in templates.resources("AWS::IAM::Role", stack=stack)}
    allowed = {
        action
        for resource, statement in templates.statements()
        if resource.stack == stack
        for action in many(statement["Action"])
        if action.startswith("sagemaker:")
    }

    assert [each.properties["MetricName"] for each in alarms] == ["anomalies"]
    assert not [each for each in roles if each.startswith("Models")]
    assert allowed == {
        *(f"sagemaker:{verb}ProcessingJob" for verb in ("Create", "Describe", "Stop")),
        "sagemaker:CreateModelPackage",
        "sagemaker:AddTags",
        "sagemaker:ListTags",
    }


def _of_training(templates: Templates) -> list[Resource]:
    schedules = templates.resources("AWS::Scheduler::Schedule")
    return [each for each in schedules if not each.logical_id.startswith("Tick")]
