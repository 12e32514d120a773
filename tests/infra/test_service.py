"""The anomaly service's front door."""

from __future__ import annotations

import json

from lambdas.http.roles import ROLES
from tests.infra.templates import Templates, flat, many
from watchkeeper.service.job_names import PACKAGE_GROUP

STACK = "WatchkeeperService"
PUBLIC = {f"GET {part}{path}" for part in ("", "/fraud", "/watch") for path in ("/openapi.json", "/docs")}
SIGNED = {"GET /watch/answers", "POST /watch/answers"}
FRAUD, CONSOLE = "ANY /fraud/{proxy+}", "ANY /watch/{proxy+}"


def test_every_route_but_the_documents_and_links_needs_a_token(templates: Templates) -> None:
    routes = {
        route.properties["RouteKey"]: route.properties["AuthorizationType"]
        for route in templates.resources("AWS::ApiGatewayV2::Route")
    }
    assert routes == {
        "$default": "JWT",
        FRAUD: "JWT",
        CONSOLE: "JWT",
        **dict.fromkeys(PUBLIC | SIGNED, "NONE"),
    }


def test_tokens_are_those_of_the_pool_for_the_client(templates: Templates) -> None:
    tokens = templates.one("AWS::ApiGatewayV2::Authorizer", stack=STACK).properties["JwtConfiguration"]
    client = templates.one("AWS::Cognito::UserPoolClient", stack=STACK)
    assert tokens["Audience"] == [{"Ref": client.logical_id}]
    assert flat(tokens["Issuer"]).startswith("https://cognito-idp.eu-west-1.")


def test_users_cannot_write_their_tenant(templates: Templates) -> None:
    client = templates.one("AWS::Cognito::UserPoolClient", stack=STACK).properties
    assert client["WriteAttributes"] == ["email"]
    assert client["ReadAttributes"] == ["custom:tenant", "email"]
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client.get("GenerateSecret") is not True


def test_requests_are_limited_and_logged(templates: Templates) -> None:
    stage = templates.one("AWS::ApiGatewayV2::Stage", stack=STACK).properties
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == 50
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 100
    assert stage["RouteSettings"][FRAUD]["ThrottlingRateLimit"] == 500
    assert {stage["RouteSettings"][route]["ThrottlingRateLimit"] for route in SIGNED} == {5}
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"request_id", "subject", "status", "latency_milliseconds"} <= logged.keys()
    assert not {name for name, value in logged.items() if "authorization" in value.lower()}
    assert not {name for name, value in logged.items() if "query" in value.lower()}, "links' tokens are there"


def test_no_browser_may_call_unless_its_origin_is_set(templates: Templates) -> None:
    assert "CorsConfiguration" not in templates.one("AWS::ApiGatewayV2::Api", stack=STACK).properties


def test_the_api_is_denied_the_models_of_the_service_itself(templates: Templates) -> None:
    """The names of the workloads' groups begin as that of the service's does."""
    denied: dict[str, set[str]] = {}
    allowed: dict[str, set[str]] = {}
    for resource, statement in templates.statements():
        if resource.stack == STACK and "ServiceApi" in resource.logical_id:
            found = denied if statement["Effect"] == "Deny" else allowed
            for action in many(statement["Action"]):
                if action.startswith("sagemaker:"):
                    arns = {flat(arn).rpartition(">:")[2] for arn in many(statement["Resource"])}
                    found.setdefault(action, set()).update(arns)
    assert allowed == {
        "sagemaker:ListModelPackages": {"model-package-group/watchkeeper-*", "model-package/watchkeeper-*/*"},
        "sagemaker:DescribeModelPackage": {"model-package/watchkeeper-*/*"},
    }
    assert denied == {
        action: {arn.replace("watchkeeper-*", PACKAGE_GROUP) for arn in arns}
        for action, arns in allowed.items()
    }


def test_the_api_reaches_tenants_files_only(templates: Templates) -> None:
    keys = {
        flat(arn).rpartition(">/")[2]
        for resource, statement in templates.statements()
        if resource.stack == STACK and "ServiceApi" in resource.logical_id
        for arn in (
            statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        )
        if "s3:GetObject" in statement["Action"] or "s3:PutObject" in statement["Action"]
    }
    assert keys == {"tenants/*"}


def test_tasks_that_end_badly_are_closed(templates: Templates) -> None:
    pattern = templates.one("AWS::Events::Rule", stack=STACK).properties["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    assert len(pattern["detail"]["stateMachineArn"]) == 3


OF_DEVICES = (
    *("AddThingToThingGroup", "RemoveThingFromThingGroup", "AttachPolicy", "DeleteConnection"),
    *("DescribeCertificate", "DescribeThing", "DescribeThingGroup"),
    *("ListThingGroupsForThing", "ListThingPrincipals", "ListThingsInThingGroup"),
)


def test_the_console_may_do_what_it_does_and_no_more(templates: Templates) -> None:
    allowed: dict[str, set[str]] = {}
    for resource, statement in templates.statements():
        if resource.stack == STACK and resource.logical_id.startswith("Console"):
            for action in many(statement["Action"]):
                arns = {flat(arn).rpartition(">:")[2] for arn in many(statement["Resource"])}
                allowed.setdefault(action, set()).update(arns)
    actions = {action for action in allowed if not action.startswith(("kms:", "logs:", "xray:"))}
    assert actions == {
        *("s3:GetObject", "s3:ListBucket", "s3:PutObject", "ssm:GetParameter", "ssm:GetParametersByPath"),
        *(f"dynamodb:{verb}" for verb in ("GetItem", "PutItem", "DeleteItem", "Query", "Scan", "UpdateItem")),
        *("cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"),
        *("states:ListExecutions", "states:StartExecution", "states:DescribeExecution"),
        *("states:DescribeStateMachineForExecution", "states:GetExecutionHistory"),
        *("cloudformation:ListStacks", "cloudformation:ListStackResources"),
        "lambda:GetFunctionConfiguration",
        *(f"iot:{verb}" for verb in OF_DEVICES),
        *("lambda:InvokeFunction", "events:PutEvents", "secretsmanager:GetSecretValue"),
        *("sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"),
        *("sns:ListSubscriptionsByTopic", "sns:GetSubscriptionAttributes"),
        *("sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"),
    }
    assert {arn.rpartition("/backtests")[1] for arn in allowed["s3:PutObject"]} == {"/backtests"}
    assert allowed["states:StartExecution"] == {"stateMachine:watchkeeper-*-training"}


def test_a_group_of_users_is_there_for_each_role(templates: Templates) -> None:
    groups = templates.resources("AWS::Cognito::UserPoolGroup")
    assert {group.properties["GroupName"] for group in groups} == set(ROLES)


def test_the_fraud_api_may_do_what_it_does_and_no_more(templates: Templates) -> None:
    allowed = {
        action
        for resource, statement in templates.statements()
        if resource.stack == STACK and resource.logical_id.startswith("Fraud")
        for action in many(statement["Action"])
        if not action.startswith(("kms:", "logs:", "xray:"))
    }
    assert allowed == {
        "states:StartExecution",
        *(f"dynamodb:{verb}" for verb in ("BatchGetItem", "PutItem", "UpdateItem", "Query", "GetItem")),
        *("sagemaker:InvokeEndpoint", "events:PutEvents", "ssm:GetParameter", "lambda:InvokeFunction"),
    }


def test_only_who_signs_and_who_checks_links_may_read_their_key(templates: Templates) -> None:
    key = templates.one("AWS::SecretsManager::Secret", stack="WatchkeeperAlerting")
    readers = {
        resource.logical_id
        for resource, statement in templates.statements()
        if "secretsmanager:GetSecretValue" in many(statement["Action"])
        and key.logical_id in json.dumps(statement["Resource"])
    }
    assert {name[:12] for name in readers} == {"PublishAlert", "ConsoleApiRo"}
