"""The document for security reviewers: as current as its tables, and the policies cover what is deployed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from infra.constructs.service_http_api import ServiceHttpApi
from infra.constructs.user_directory import ServiceClient, UserDirectory
from infra.security_report import (
    DOCUMENT,
    POLICIES,
    SynthesizedStacks,
    deployment_policies,
    finding_table,
    put_between,
    role_table,
)
from localcloud.iam.evaluation import Policies, Principal, Request, evaluate
from localcloud.iam.policies import parse
from tests.infra.templates import Templates
from watchkeeper.spec import load_workloads

WRITE = "write it again: watchkeeper preflight, then python -m infra.security_report build/assemblies/aws"


@pytest.fixture(scope="session")
def stacks(assembly: Path) -> SynthesizedStacks:
    names = [spec.name for spec in load_workloads(assembly.parent / "workloads")]
    return SynthesizedStacks(assembly, names)


UNUSED = re.compile(r"/AlertDelivery/Deliver/Role|/(Folders|Source)/Fetch/Role|/Source/Scheduled")
"""No workload of the project delivers alerts itself, has folders, or asks for telemetry; the document says
what these roles may do."""


def first_cells(table: str, *columns: int) -> set[tuple[str, ...]]:
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {tuple(row[column].strip("| ") for column in columns) for row in rows}


def documented(name: str) -> str:
    return DOCUMENT.read_text().partition(f"<!-- {name}: begin -->")[2].partition(f"<!-- {name}: end -->")[0]


def test_the_document_names_every_role_and_who_assumes_it(stacks: SynthesizedStacks) -> None:
    roles = {cells for cells in first_cells(role_table(stacks), 0, 1) if not UNUSED.search(cells[0])}
    assert first_cells(documented("roles"), 0, 1) == roles, WRITE


def test_the_document_has_every_exception_with_its_reason(stacks: SynthesizedStacks) -> None:
    assert first_cells(documented("findings"), 0, 1) == first_cells(finding_table(stacks), 0, 1), WRITE


def test_a_role_may_what_its_policies_allow(stacks: SynthesizedStacks) -> None:
    scoring = next(kind for name, kind in stacks.roles().items() if name.endswith("ScoreTelemetry/Role"))

    assert scoring.assumed_by == {"lambda.amazonaws.com"}
    assert "InvokeEndpoint" in scoring.actions["sagemaker"]


def test_no_row_names_a_workload(stacks: SynthesizedStacks) -> None:
    table = role_table(stacks)

    assert "WORKLOAD" in table
    assert "WaterFlow" not in table
    assert "PumpPressure" not in table


def test_a_scoped_bootstrap_may_make_every_resource_and_no_other_role(stacks: SynthesizedStacks) -> None:
    written = [json.loads(file.read_text()) for file in sorted(POLICIES.glob("*.json"))]
    assert written == deployment_policies(stacks.resource_types()), WRITE

    statements = [statement for policy in written for statement in policy["Statement"]]
    of_iam = [each for each in statements if any(action.startswith("iam:") for action in each["Action"])]
    assert {action: each["Resource"] for each in of_iam for action in each["Action"]} == {
        **dict.fromkeys(of_iam[0]["Action"], "arn:aws:iam::*:role/Watchkeeper*"),
        "iam:CreateServiceLinkedRole": "arn:aws:iam::*:role/aws-service-role/*",
    }
    actions = {action for each in statements for action in each["Action"]}
    assert {"dynamodb:CreateTable", "iot:CreateTopicRule", "iam:PassRole", "kms:CreateKey"} <= actions
    assert not any("*" in action for action in actions)
    assert all(len(json.dumps(policy, separators=(",", ":"))) <= 6144 for policy in written)


def test_cloudformation_with_these_policies_is_denied_nothing_that_its_handlers_call(
    stacks: SynthesizedStacks,
) -> None:
    policies = Policies(
        tuple(
            statement
            for file in sorted(POLICIES.glob("*.json"))
            for statement in parse(json.loads(file.read_text()), file.stem)
        )
    )
    role = "arn:aws:iam::123456789012:role/cdk-cfn-exec"
    caller = Principal(f"{role}/session", role)
    asked = set(changes_of(stacks))
    denied = {each for each in asked if not evaluate(Request(caller, *each), policies).allowed}
    assert denied == set()
    assert ("kms:CreateKey", "*") in asked
    assert sum(action == "iam:CreateRole" for action, _ in asked) > 50
    elsewhere = ("iam:CreateRole", "arn:aws:iam::123456789012:role/Administrators")
    assert not evaluate(Request(caller, *elsewhere), policies).allowed


def changes_of(stacks: SynthesizedStacks) -> Iterator[tuple[str, str]]:
    """Give action and resource of what making, changing and removing each resource calls: roles by the names
    that CloudFormation gives them, as these are all that the policies narrow."""
    for stack, template, _ in stacks.templates():
        roles = [name for name, body in template["Resources"].items() if body["Type"] == "AWS::IAM::Role"]
        for logical_id, body in template["Resources"].items():
            kind = body["Type"]
            if kind.startswith("Custom::"):
                yield "lambda:InvokeFunction", "*"
                continue
            handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"]
            made = [body["Properties"].get("RoleName", f"{stack}-{logical_id}-ABC")]
            named = made if kind == "AWS::IAM::Role" else [f"{stack}-{role}-ABC" for role in roles]
            for action in {
                action
                for change in ("create", "update", "delete")
                for action in handlers.get(change, {}).get("permissions", ())
            }:
                if not action.startswith("iam:"):
                    yield action, "*"
                elif action == "iam:CreateServiceLinkedRole":
                    yield action, "arn:aws:iam::123456789012:role/aws-service-role/a.amazonaws.com/RoleForA"
                elif "Role" in action:  # a policy's handlers name users and groups, which none of ours has
                    yield from ((action, f"arn:aws:iam::123456789012:role/{name}") for name in named)


def test_content_between_markers_is_replaced_and_the_rest_stays() -> None:
    text = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb"

    assert put_between(text, "x", "new") == "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nb"


def test_users_sign_in_without_sending_their_password(templates: Templates) -> None:
    client = next(
        each for each in templates.resources("AWS::Cognito::UserPoolClient", stack="WatchkeeperService")
    )

    assert sorted(client.properties["ExplicitAuthFlows"]) == [
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_USER_SRP_AUTH",
    ]
    assert client.properties["RefreshTokenValidity"] == 8 * 60  # minutes


def test_logs_with_the_data_of_executions_are_encrypted_with_the_data_key(templates: Templates) -> None:
    groups = [
        each
        for each in templates.resources("AWS::Logs::LogGroup")
        if str(each.properties.get("LogGroupName", "")).startswith("/aws/vendedlogs/states/")
    ]
    assert len(groups) > 4
    assert all("Key" in str(each.properties["KmsKeyId"]) for each in groups)


@pytest.mark.parametrize(("documents", "routes"), [(True, 6), (False, 2)])
def test_documents_answer_without_a_token_unless_they_are_closed(documents: bool, routes: int) -> None:
    stack = cdk.Stack(cdk.App(), "Api", env=cdk.Environment(region="eu-west-1"))
    pool = UserDirectory(stack, "Callers", mfa=cognito.Mfa.REQUIRED).pool
    function = lambda_.Function.from_function_arn(
        stack, "Function", "arn:aws:lambda:eu-west-1:123456789012:function:f"
    )
    ServiceHttpApi(
        stack,
        "Http",
        function=function,
        parts={"/fraud": function},
        pool=pool,
        client=ServiceClient(stack, "Client", pool=pool).client,
        cors_origins=[],
        public_documents=documents,
        by_signature={},
    )
    template = Template.from_stack(stack)

    found = template.find_resources("AWS::ApiGatewayV2::Route").values()
    assert len(found) == routes
    closed = [each for each in found if each["Properties"]["AuthorizationType"] == "JWT"]
    assert len(closed) == 2
    template.has_resource_properties("AWS::Cognito::UserPool", {"MfaConfiguration": "ON"})
