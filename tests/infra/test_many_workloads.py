"""Many workloads: no limit of AWS binds a template, and each workload changes its own one alone."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import EXTRA_WORKLOAD, synthesize
from tests.infra.templates import Json, Resource, Templates
from watchkeeper.core import layout

WORKLOADS, PLANNED = 12, 200
"""Synthesized here, where the shared templates are those of any other number, and to be supported."""
SPEC = Path(__file__).parent / "workloads" / f"{EXTRA_WORKLOAD}.yaml"

RESOURCES, OUTPUTS, PARAMETERS, TEMPLATE_BYTES = 500, 200, 200, 1_000_000
"""CloudFormation's limits of a template."""
INLINE_POLICY_CHARACTERS = 10_240
"""IAM's limit of all inline policies of a role, without white space."""
IN_ACCOUNT = {
    "AWS::IAM::Role": 1000,
    "AWS::Events::Rule": 300,
    "AWS::IoT::TopicRule": 1000,
    "AWS::CloudWatch::Alarm": 5000,
    "AWS::StepFunctions::StateMachine": 10_000,
    "AWS::SSM::Parameter": 10_000,
}
"""AWS's default quotas of an account and region; of rules those of the default bus."""


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, cdk_context: dict[str, Any]) -> Templates:
    """The templates of many workloads."""
    folder = tmp_path_factory.mktemp("crowded")
    files = folder / "workloads"
    files.mkdir()
    text = SPEC.read_text()
    for name in (EXTRA_WORKLOAD, *(f"press_{number:03d}_of_a_long_row" for number in range(1, WORKLOADS))):
        (files / f"{name}.yaml").write_text(
            text
            if name == EXTRA_WORKLOAD
            else text.replace(EXTRA_WORKLOAD, name)
            .replace("plant/", f"{name}/")
            .replace("example.com", f"{name.replace('_', '-')}.example.com")
        )
    synthesize(files, folder / "cdk.out", cdk_context, checks=False)
    return Templates.read(folder / "cdk.out")


def of_roles(templates: Templates, kind: str) -> dict[tuple[str, str], list[Resource]]:
    found: dict[tuple[str, str], list[Resource]] = {}
    for policy in templates.resources(kind):
        for role in policy.properties["Roles"]:
            found.setdefault((policy.stack, json.dumps(role)), []).append(policy)
    return found


def test_every_template_has_room(crowded: Templates) -> None:
    for stack, template in crowded.by_stack.items():
        size = (crowded.assembly / f"{stack}.template.json").stat().st_size
        assert size < TEMPLATE_BYTES / 4, stack
        assert len(template["Resources"]) < RESOURCES / 4, stack
        assert len(template.get("Outputs", {})) < OUTPUTS / 4, stack
        assert len(template.get("Parameters", {})) < PARAMETERS / 4, stack


def test_inline_policies_of_a_role_are_within_iams_limit(crowded: Templates) -> None:
    for role, policies in of_roles(crowded, "AWS::IAM::Policy").items():
        text = "".join(
            json.dumps(policy.properties["PolicyDocument"], separators=(",", ":")) for policy in policies
        )
        assert len(text) < INLINE_POLICY_CHARACTERS, role


def test_planned_workloads_are_within_the_quotas_of_an_account(crowded: Templates) -> None:
    """Three roles a workload, since the default quota is 1,000: what all may share is one role."""
    of_each = Counter(each.type for each in crowded.resources(stack=layout.workload_stack(EXTRA_WORKLOAD)))
    shared = Counter(
        each.type
        for each in crowded.resources()
        if not each.stack.startswith("Watchkeeper-") and "EventBusName" not in each.properties
    )
    for kind, quota in IN_ACCOUNT.items():
        assert shared[kind] + PLANNED * of_each[kind] < 0.8 * quota, kind


def test_a_workload_more_or_less_changes_no_other_template(crowded: Templates, templates: Templates) -> None:
    def others(found: Templates) -> dict[str, Json]:
        return {
            stack: template
            for stack, template in found.by_stack.items()
            if not stack.startswith("Watchkeeper-") or stack == layout.workload_stack(EXTRA_WORKLOAD)
        }

    assert others(crowded) == others(templates)
    assert len(crowded.by_stack) == len(others(crowded)) - 1 + WORKLOADS


def test_workloads_stacks_import_no_export(crowded: Templates) -> None:
    """An exported value can neither change nor go while a stack imports it."""
    for stack, template in crowded.by_stack.items():
        if stack.startswith("Watchkeeper-"):
            assert "Fn::ImportValue" not in json.dumps(template), stack


def test_stacks_read_only_outputs_that_there_are(templates: Templates) -> None:
    def told(value: Any) -> list[Json]:
        if isinstance(value, dict):
            here = [value["Fn::GetStackOutput"]] if "Fn::GetStackOutput" in value else []
            return here + [each for item in value.values() for each in told(item)]
        return [each for item in value for each in told(item)] if isinstance(value, list) else []

    read = [each for template in templates.by_stack.values() for each in told(template)]
    assert read
    for each in read:
        assert each["OutputName"] in templates.by_stack[each["StackName"]]["Outputs"], each


def test_a_workload_alone_has_the_template_that_it_has_beside_the_shared_stacks(
    templates: Templates, tmp_path: Path, cdk_context: dict[str, Any]
) -> None:
    files = tmp_path / "workloads"
    files.mkdir()
    (files / SPEC.name).write_text(SPEC.read_text())

    synthesize(files, tmp_path / "cdk.out", cdk_context, shared=False)

    alone = Templates.read(tmp_path / "cdk.out").by_stack
    own = layout.workload_stack(EXTRA_WORKLOAD)
    assert alone == {own: templates.by_stack[own]}
