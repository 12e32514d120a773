"""A policy linter reads every statement: is there such an action, resource of it, condition?"""

from __future__ import annotations

import json
from typing import Any

import parliament
import pytest

from tests.infra.templates import Json, Templates

PLACE = "us-east-1:123456789012"
ARNS = {
    "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{PLACE}:alarm:name",
    "AWS::Cognito::UserPool": f"arn:aws:cognito-idp:{PLACE}:userpool/name",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{PLACE}:table/name",
    "AWS::AppSync::Api": f"arn:aws:appsync:{PLACE}:apis/name",
    "AWS::Events::EventBus": f"arn:aws:events:{PLACE}:event-bus/name",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/name",
    "AWS::IoT::ThingGroup": f"arn:aws:iot:{PLACE}:thinggroup/name",
    "AWS::KMS::Key": f"arn:aws:kms:{PLACE}:key/name",
    "AWS::KinesisFirehose::DeliveryStream": f"arn:aws:firehose:{PLACE}:deliverystream/name",
    "AWS::Lambda::Function": f"arn:aws:lambda:{PLACE}:function:name",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{PLACE}:log-group:name:*",
    "AWS::S3::Bucket": "arn:aws:s3:::name",
    "AWS::SNS::Topic": f"arn:aws:sns:{PLACE}:name",
    "AWS::SQS::Queue": f"arn:aws:sqs:{PLACE}:name",
    "AWS::SSM::Parameter": f"arn:aws:ssm:{PLACE}:parameter/name",
    "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{PLACE}:secret:name-abcdef",
    "AWS::SageMaker::ModelPackageGroup": f"arn:aws:sagemaker:{PLACE}:model-package-group/name",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{PLACE}:stateMachine:name",
}
REFERENCES_ARE_ARNS = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")
IDS_ARE_ARNS = ("AWS::SecretsManager::Secret",)
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackName": "stack",
}
ARGUED = {
    # an update needs both, and has a statement for each
    ("sagemaker:UpdateEndpoint", "endpoint"),
    ("sagemaker:UpdateEndpoint", "endpoint-config"),
    # of standard executions, not of an express workflow's or a map's
    ("states:DescribeExecution", "express"),
    ("states:ListExecutions", "mapRun"),
    # they need both the thing and the group, and have a statement for each
    ("iot:AddThingToThingGroup", "thing"),
    ("iot:AddThingToThingGroup", "thinggroup"),
    ("iot:RemoveThingFromThingGroup", "thing"),
    ("iot:RemoveThingFromThingGroup", "thinggroup"),
    # AWS has a resource to name for these, which the linter's list does not know yet
    ("iot:AttachThingPrincipal", "*"),
    ("iot:DetachThingPrincipal", "*"),
    ("iot:ListThingPrincipals", "*"),
    # of August 2025, younger than the linter's list of actions
    ("Unknown action iot:DeleteConnection", "*"),
    # which are on is asked of all, without a name
    ("cloudwatch:DescribeAlarms", "*"),
}


def test_a_linter_finds_nothing_in_any_policy_that_is_not_argued(templates: Templates) -> None:
    statements = list(templates.statements())
    assert len(statements) > 150

    found = []
    for resource, statement in statements:
        written = resolved(statement, resource.stack, templates)
        findings = findings_of(written)
        found += [f"{resource}: {finding} ({written['Resource']})" for finding in findings]

    assert found == []


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"Action": "s3:GetObjects"}, "UNKNOWN_ACTION"),
        ({"Resource": "arn:aws:s3:::name"}, "RESOURCE_MISMATCH"),
        ({"Resource": "name"}, "INVALID_ARN"),
        ({"Condition": {"StringLikes": {"aws:PrincipalTag/a": "b"}}}, "UNKNOWN_OPERATOR"),
    ],
)
def test_the_linter_finds(change: Json, issue: str) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::name/*"}

    assert findings_of(statement) == []
    assert any(issue in finding for finding in findings_of({**statement, **change}))


def findings_of(statement: Json) -> list[str]:
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return [
        f"{finding.issue}: {detail}"
        for finding in parliament.analyze_policy_string(json.dumps(document)).findings
        for detail in (finding.detail if isinstance(finding.detail, list) else [finding.detail])
        if not is_argued(detail)
    ]


def is_argued(detail: Any) -> bool:
    if isinstance(detail, str):
        return (detail, "*") in ARGUED
    if not isinstance(detail, dict) or "required_format" not in detail:
        return False
    kind = detail["required_format"].split(":", 5)[-1].replace(":", "/").split("/")[0]
    return (detail["action"], kind) in ARGUED


def resolved(value: Any, stack: str, templates: Templates) -> Any:
    """Replace what CloudFormation fills in by names and ARNs of the right form."""
    match value:
        case {"Ref": name}:
            kind = templates.by_stack[stack]["Resources"].get(name, {}).get("Type")
            return PSEUDO.get(name) or (ARNS[kind] if kind in REFERENCES_ARE_ARNS else "name")
        case {"Fn::GetAtt": [logical_id, attribute]}:
            kind = templates.by_stack[stack]["Resources"][logical_id]["Type"]
            return ARNS[kind] if attribute.endswith("Arn") or kind in IDS_ARE_ARNS else "name"
        case {"Fn::Join": [delimiter, parts]}:
            return delimiter.join(resolved(part, stack, templates) for part in parts)
        case {"Fn::Sub": str(text)}:
            for name, filled in PSEUDO.items():
                text = text.replace(f"${{{name}}}", filled)
            return text
        case {"Fn::GetStackOutput": {"StackName": other, "OutputName": name}}:
            return resolved(templates.by_stack[other]["Outputs"][name]["Value"], other, templates)
        case {"Fn::ImportValue": name}:
            return next(
                resolved(output["Value"], other, templates)
                for other, template in templates.by_stack.items()
                for output in template.get("Outputs", {}).values()
                if output.get("Export", {}).get("Name") == name
            )
        case dict():
            return {key: resolved(each, stack, templates) for key, each in value.items()}
        case list():
            return [resolved(each, stack, templates) for each in value]
    return value
