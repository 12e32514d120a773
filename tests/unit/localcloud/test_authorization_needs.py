"""Which permissions a request needs: rows of AWS's service authorization reference."""

import json
import re
from importlib import resources
from typing import Any

import pytest

from localcloud.authorization.needs import Need, Place, UnknownNeedError, needs_of, s3_needs
from localcloud.authorization.operations import needs_no_caller, operation_of

PLACE = Place("123456789012", "us-east-1")
TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table/items"
SAGEMAKER = "arn:aws:sagemaker:us-east-1:123456789012"
SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234"
ROLE = "arn:aws:iam::123456789012:role/jobs"
IOT = "arn:aws:iot:us-east-1:123456789012"
ATHENA = "arn:aws:athena:us-east-1:123456789012"
GLUE = "arn:aws:glue:us-east-1:123456789012"
TASKS = [
    (
        "iot",
        "AddThingToThingGroup",
        {"thingName": "pump", "thingGroupName": "hall"},
        [("iot:AddThingToThingGroup", f"{IOT}:{each}") for each in ("thing/pump", "thinggroup/hall")],
    ),
    (
        "iot",
        "AttachPolicy",
        {"policyName": "device", "target": f"{IOT}:cert/1"},
        [("iot:AttachPolicy", f"{IOT}:cert/1")],
    ),
    (
        "iot",
        "ListThingPrincipals",
        {"thingName": "pump"},
        [("iot:ListThingPrincipals", f"{IOT}:thing/pump")],
    ),
    ("iot", "ListAttachedPolicies", {"target": f"{IOT}:cert/1"}, [("iot:ListAttachedPolicies", "*")]),
    ("iot", "UpdateCertificate", {"certificateId": "1"}, [("iot:UpdateCertificate", f"{IOT}:cert/1")]),
    ("iot", "DeleteConnection", {"clientId": "pump"}, [("iot:DeleteConnection", f"{IOT}:client/pump")]),
    (
        "dynamodb",
        "Query",
        {"TableName": "items", "IndexName": "by_day"},
        [("dynamodb:Query", f"{TABLE}/index/by_day")],
    ),
    (
        "dynamodb",
        "BatchWriteItem",
        {"RequestItems": {"items": [], "others": []}},
        [("dynamodb:BatchWriteItem", TABLE), ("dynamodb:BatchWriteItem", TABLE.replace("items", "others"))],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "items"}}, {"ConditionCheck": {"TableName": "items"}}]},
        [("dynamodb:PutItem", TABLE), ("dynamodb:ConditionCheckItem", TABLE)],
    ),
    (
        "sqs",
        "SendMessageBatch",
        {"QueueUrl": "http://127.0.0.1/123456789012/work.fifo"},
        [("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:work.fifo")],
    ),
    (
        "lambda",
        "Invoke",
        {"FunctionName": "f"},
        [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f")],
    ),
    (
        "events",
        "PutEvents",
        {"Entries": [{"EventBusName": "bus", "Source": "mine", "DetailType": "Anomaly"}]},
        [("events:PutEvents", "arn:aws:events:us-east-1:123456789012:event-bus/bus")],
    ),
    (
        "ssm",
        "GetParameter",
        {"Name": "/a/b"},
        [("ssm:GetParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/a/b")],
    ),
    (
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": "plant/chat"},
        [("secretsmanager:GetSecretValue", f"{SECRETS}:plant/chat-000000")],
    ),
    (
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": f"{SECRETS}:plant/chat-a1B2c3"},
        [("secretsmanager:GetSecretValue", f"{SECRETS}:plant/chat-a1B2c3")],
    ),
    (
        "logs",
        "PutLogEvents",
        {"logGroupName": "/g", "logStreamName": "s"},
        [("logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:/g:log-stream:s")],
    ),
    ("sts", "GetCallerIdentity", {}, []),
    (
        "glue",
        "CreateJob",
        {"Name": "spark", "Role": "jobs"},
        [
            ("glue:CreateJob", "arn:aws:glue:us-east-1:123456789012:job/spark"),
            ("iam:PassRole", ROLE),
        ],
    ),
    (
        "glue",
        "StartJobRun",
        {"JobName": "j"},
        [("glue:StartJobRun", "arn:aws:glue:us-east-1:123456789012:job/j")],
    ),
    ("sagemaker", "ListEndpoints", {"NameContains": "x"}, [("sagemaker:ListEndpoints", "*")]),
    (
        "sagemaker",
        "CreateEndpoint",
        {"EndpointName": "E", "EndpointConfigName": "c"},
        [
            ("sagemaker:CreateEndpoint", f"{SAGEMAKER}:endpoint/e"),
            ("sagemaker:CreateEndpoint", f"{SAGEMAKER}:endpoint-config/c"),
        ],
    ),
    (
        "sagemaker",
        "ListModelPackages",
        {"ModelPackageGroupName": f"{SAGEMAKER}:model-package-group/g"},
        [("sagemaker:ListModelPackages", f"{SAGEMAKER}:model-package/g/*")],
    ),
    (
        "sagemaker",
        "CreateEndpointConfig",
        {"EndpointConfigName": "c", "ProductionVariants": [], "KmsKeyId": KEY},
        [
            ("sagemaker:CreateEndpointConfig", f"{SAGEMAKER}:endpoint-config/c"),
            ("kms:DescribeKey", KEY),
            ("kms:CreateGrant", KEY),
        ],
    ),
    (
        "sagemaker",
        "UpdateEndpoint",
        {
            "EndpointName": "e",
            "DeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}},
        },
        [
            ("sagemaker:UpdateEndpoint", f"{SAGEMAKER}:endpoint/e"),
            ("cloudwatch:DescribeAlarms", "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"),
        ],
    ),
    (
        "sagemaker",
        "CreateTransformJob",
        {"TransformJobName": "t", "ModelName": "m"},
        [("sagemaker:CreateTransformJob", f"{SAGEMAKER}:transform-job/t")],
    ),
    (
        "sagemaker",
        "CreateTrainingJob",
        {"TrainingJobName": "t", "RoleArn": ROLE, "Tags": [{"Key": "a", "Value": "b"}]},
        [
            ("sagemaker:CreateTrainingJob", f"{SAGEMAKER}:training-job/t"),
            ("sagemaker:AddTags", f"{SAGEMAKER}:training-job/t"),
            ("iam:PassRole", ROLE),
        ],
    ),
    (
        "kinesis",
        "PutRecords",
        {"StreamARN": "arn:aws:kinesis:us-east-1:123456789012:stream/presses"},
        [("kinesis:PutRecords", "arn:aws:kinesis:us-east-1:123456789012:stream/presses")],
    ),
    (
        "athena",
        "StartQueryExecution",
        {
            "QueryString": "SELECT * FROM presses WHERE at > '1'",
            "QueryExecutionContext": {"Database": "plant"},
            "ResultConfiguration": {"OutputLocation": "s3://results/queries/"},
            "WorkGroup": "telemetry",
        },
        [
            ("athena:StartQueryExecution", f"{ATHENA}:workgroup/telemetry"),
            ("s3:GetBucketLocation", "arn:aws:s3:::results"),
            ("s3:PutObject", "arn:aws:s3:::results/queries/result.csv"),
            ("glue:GetTable", f"{GLUE}:catalog"),
            ("glue:GetTable", f"{GLUE}:database/plant"),
            ("glue:GetTable", f"{GLUE}:table/plant/presses"),
        ],
    ),
    (
        "athena",
        "GetWorkGroup",
        {"WorkGroup": "primary"},
        [("athena:GetWorkGroup", f"{ATHENA}:workgroup/primary")],
    ),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), TASKS)
def test_operation_needs(
    service: str, operation: str, parameters: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    needs = needs_of(service, operation, parameters, PLACE)

    assert [(need.action, need.resource) for need in needs] == expected


def test_rows_are_those_of_aws_service_authorization_reference() -> None:
    """cfn-lint carries it: an action is asked for a resource where AWS knows one, else for `*`."""
    known = json.loads(resources.files("cfnlint").joinpath("data/AdditionalSpecs/Policies.json").read_text())
    for _, _, _, expected in TASKS:
        for action, arn in expected:
            service, _, name = action.partition(":")
            kinds = known[service]["Actions"][name.lower()].get("Resources", [])
            formats = [
                each for kind in kinds for each in known[service]["Resources"][kind.lower()]["ARNFormats"]
            ]
            patterns = [re.sub(r"\$\{\w+\}", "[^:]*", each) for each in formats]
            assert any(re.fullmatch(each, arn) for each in patterns) if kinds else arn == "*", (action, arn)


def test_context_has_what_policies_ask_for() -> None:
    passing = needs_of("sagemaker", "CreateModel", {"ModelName": "m", "ExecutionRoleArn": ROLE}, PLACE)[-1]
    metric = needs_of("cloudwatch", "PutMetricData", {"Namespace": "/aws/sagemaker/TrainingJobs"}, PLACE)[0]
    listing = s3_needs("GET", "/bucket", {}, b"", {"list-type": ["2"], "prefix": ["raw/"]})[0]

    assert passing == Need("iam:PassRole", ROLE, {"iam:passedtoservice": "sagemaker.amazonaws.com"})
    assert metric.context == {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}
    assert listing == Need("s3:ListBucket", "arn:aws:s3:::bucket", {"s3:prefix": "raw/"})


def test_service_without_a_row_is_an_error_that_names_it() -> None:
    with pytest.raises(UnknownNeedError, match="neptune:Anything needs"):
        needs_of("neptune", "Anything", {}, PLACE)


@pytest.mark.parametrize(
    ("method", "path", "query", "action"),
    [
        ("GET", "/b/k", {}, "s3:GetObject"),
        ("HEAD", "/b/k", {}, "s3:GetObject"),
        ("GET", "/b/k", {"versionId": ["1"]}, "s3:GetObjectVersion"),
        ("PUT", "/b/k", {"partNumber": ["1"], "uploadId": ["u"]}, "s3:PutObject"),
        ("POST", "/b/k", {"uploads": [""]}, "s3:PutObject"),
        ("DELETE", "/b/k", {"uploadId": ["u"]}, "s3:AbortMultipartUpload"),
        ("DELETE", "/b/k", {}, "s3:DeleteObject"),
    ],
)
def test_object_request_needs_one_permission_on_its_key(
    method: str, path: str, query: dict[str, list[str]], action: str
) -> None:
    assert s3_needs(method, path, {}, b"", query) == [Need(action, "arn:aws:s3:::b/k")]


def test_each_key_of_a_deletion_and_both_ends_of_a_copy_are_asked_for() -> None:
    entries = (b"<Key>a&amp;b</Key>", b"<Key>c</Key><VersionId>1</VersionId>")
    body = b"".join(b"<Object>%b</Object>" % entry for entry in entries)
    deleted = s3_needs("POST", "/bucket", {}, body, {"delete": [""]})
    copied = s3_needs("PUT", "/bucket/new", {"x-amz-copy-source": "/other/old"}, b"", {})

    assert [(need.action, need.resource) for need in deleted] == [
        ("s3:DeleteObject", "arn:aws:s3:::bucket/a&b"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::bucket/c"),
    ]
    assert [(need.action, need.resource) for need in copied] == [
        ("s3:PutObject", "arn:aws:s3:::bucket/new"),
        ("s3:GetObject", "arn:aws:s3:::other/old"),
    ]


@pytest.mark.parametrize(
    ("request_", "operation", "parameters"),
    [
        (
            ("dynamodb", "POST", "/", {"x-amz-target": "DynamoDB_20120810.GetItem"}, {"TableName": "t"}, {}),
            "GetItem",
            {"TableName": "t"},
        ),
        (
            ("sagemaker", "POST", "/endpoints/my-endpoint/invocations", {}, None, {}),
            "InvokeEndpoint",
            {"EndpointName": "my-endpoint"},
        ),
        (
            (
                "lambda",
                "POST",
                "/2015-03-31/functions/arn:aws:lambda:r:1:function:f/invocations",
                {},
                {"a": 1},
                {},
            ),
            "Invoke",
            {"FunctionName": "arn:aws:lambda:r:1:function:f", "a": 1},
        ),
        (
            (
                "sns",
                "POST",
                "/",
                {},
                None,
                {"Action": ["Publish"], "TopicArn": ["arn:x"], "A.member.1": ["b"]},
            ),
            "Publish",
            {"Action": "Publish", "TopicArn": "arn:x", "A": ["b"]},
        ),
        (("iot-data", "POST", "/topics/a/b", {}, None, {"qos": ["1"]}), "Publish", {"topic": "a/b"}),
    ],
)
def test_request_is_an_operation_with_parameters(
    request_: tuple[str, str, str, dict[str, str], Any, dict[str, list[str]]],
    operation: str,
    parameters: dict[str, Any],
) -> None:
    service, method, path, headers, document, query = request_
    found = operation_of(service, method, path, headers, json.dumps(document or {}).encode(), query)

    assert (found.name, found.parameters) == (operation, parameters)


def test_path_that_is_no_operation_is_an_error() -> None:
    with pytest.raises(UnknownNeedError, match="GET /nothing"):
        operation_of("lambda", "GET", "/nothing", {}, b"", {})


def test_only_what_aws_serves_without_credentials_needs_no_caller() -> None:
    assert needs_no_caller("cognito-idp", "InitiateAuth")
    assert not needs_no_caller("cognito-idp", "AdminGetUser")
    assert not needs_no_caller("dynamodb", "GetItem")
