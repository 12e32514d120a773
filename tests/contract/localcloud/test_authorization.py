"""A role may do here what its policies give it, and is refused everything else in AWS's words."""

import io
import json
import re
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud.authorization.journal import Journal
from tests.contract.localcloud.cloud import Cloud, eventually, running_cloud

ROOT = "arn:aws:iam::123456789012:root"
ARN = "us-east-1:123456789012"
SECRETS = f"arn:aws:secretsmanager:{ARN}:secret"
MACHINE = f"arn:aws:states:{ARN}:stateMachine:m"
SESSION = "arn:aws:sts::123456789012:assumed-role/reader/test"
READER = (
    {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::open/*"},
    {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::listed/*"},
    {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::listed"},
    {"Action": "dynamodb:GetItem", "Resource": f"arn:aws:dynamodb:{ARN}:table/items"},
    {"Action": "secretsmanager:GetSecretValue", "Resource": f"{SECRETS}:plant/chat-??????"},
    {"Action": "secretsmanager:GetSecretValue", "Resource": f"{SECRETS}:plant/name"},
    {"Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"kms:ViaService": "x"}}},
    {"Action": "sts:AssumeRole", "Resource": "*"},
    {"Action": "neptune-db:*", "Resource": "*"},
)
ASSUMED = """
import boto3
def handle(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud"), LOCALCLOUD_IAM="enforce") as found:
        s3 = found.client("s3")
        for bucket in ("open", "listed", "guarded"):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="key", Body=b"content")
        found.client("dynamodb").create_table(
            TableName="items",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        found.client("sqs").create_queue(QueueName="work")
        found.client("sns").create_topic(Name="news")
        found.client("ssm").put_parameter(Name="/a/b", Value="1", Type="String")
        for name in ("plant/chat", "plant/name"):
            found.client("secretsmanager").create_secret(Name=name, SecretString="told")
        found.role("reader", ROOT, *READER)
        yield found


@pytest.fixture(scope="module")
def reader(cloud: Cloud) -> boto3.Session:
    return session(cloud, "reader")


def session(cloud: Cloud, role: str) -> boto3.Session:
    arn = f"arn:aws:iam::123456789012:role/{role}"
    keys = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


def client(cloud: Cloud, of: boto3.Session, service: str) -> Any:
    config = Config(retries={"max_attempts": 1}, signature_version="s3v4" if service == "s3" else None)
    return of.client(
        service, endpoint_url=cloud.settings.endpoint_url, region_name="us-east-1", config=config
    )


def refusal(call: Callable[[], object]) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_role_does_what_its_policies_give(cloud: Cloud, reader: boto3.Session) -> None:
    assert client(cloud, reader, "s3").get_object(Bucket="open", Key="key")["Body"].read() == b"content"
    assert "Item" not in client(cloud, reader, "dynamodb").get_item(TableName="items", Key={"pk": {"S": "a"}})
    assert client(cloud, reader, "sts").get_caller_identity()["Arn"] == SESSION


@pytest.mark.parametrize(
    ("service", "call", "status", "code", "action", "resource"),
    [
        pytest.param(
            *("s3", lambda s3: s3.put_object(Bucket="open", Key="key", Body=b"")),
            *(403, "AccessDenied", "s3:PutObject", "arn:aws:s3:::open/key"),
            id="s3",
        ),
        pytest.param(
            *("dynamodb", lambda db: db.put_item(TableName="items", Item={"pk": {"S": "a"}})),
            *(400, "AccessDeniedException", "dynamodb:PutItem", f"arn:aws:dynamodb:{ARN}:table/items"),
            id="dynamodb",
        ),
        pytest.param(
            *("sqs", lambda sqs: sqs.get_queue_url(QueueName="work")),
            *(403, "AccessDenied", "sqs:GetQueueUrl", f"arn:aws:sqs:{ARN}:work"),
            id="sqs",
        ),
        pytest.param(
            *("sns", lambda sns: sns.subscribe(TopicArn=f"arn:aws:sns:{ARN}:news", Protocol="email")),
            *(403, "AuthorizationError", "sns:Subscribe", f"arn:aws:sns:{ARN}:news"),
            id="sns",
        ),
        pytest.param(
            *("ssm", lambda ssm: ssm.get_parameter(Name="/a/b")),
            *(400, "AccessDeniedException", "ssm:GetParameter", f"arn:aws:ssm:{ARN}:parameter/a/b"),
            id="ssm",
        ),
        pytest.param(
            *("lambda", lambda f: f.invoke(FunctionName="f")),
            *(403, "AccessDeniedException", "lambda:InvokeFunction", f"arn:aws:lambda:{ARN}:function:f"),
            id="lambda",
        ),
        pytest.param(
            *("cloudwatch", lambda cw: cw.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m"}])),
            *(403, "AccessDenied", "cloudwatch:PutMetricData", "*"),
            id="cloudwatch",
        ),
        pytest.param(
            *("iam", lambda iam: iam.get_role(RoleName="reader")),
            *(403, "AccessDenied", "iam:GetRole", "arn:aws:iam::123456789012:role/reader"),
            id="iam",
        ),
        pytest.param(
            *(
                "stepfunctions",
                lambda s: s.start_execution(stateMachineArn=f"arn:aws:states:{ARN}:stateMachine:m"),
            ),
            *(400, "AccessDeniedException", "states:StartExecution", f"arn:aws:states:{ARN}:stateMachine:m"),
            id="states",
        ),
    ],
)
def test_refusal_has_the_code_the_status_and_the_sentence_of_its_service(
    cloud: Cloud,
    reader: boto3.Session,
    service: str,
    call: Callable[[Any], object],
    status: int,
    code: str,
    action: str,
    resource: str,
) -> None:
    sentence = (
        f"User: {SESSION} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )

    found = refusal(lambda: call(client(cloud, reader, service)))
    assert found[0] == status
    assert found[1].removesuffix("Exception") == code.removesuffix("Exception")
    assert found[2] == sentence


def test_object_that_is_missing_is_told_to_who_may_list(cloud: Cloud, reader: boto3.Session) -> None:
    s3 = client(cloud, reader, "s3")

    assert refusal(lambda: s3.get_object(Bucket="listed", Key="no"))[:2] == (404, "NoSuchKey")
    assert refusal(lambda: s3.get_object(Bucket="open", Key="no"))[:2] == (403, "AccessDenied")
    assert refusal(lambda: s3.head_object(Bucket="open", Key="no"))[0] == 403


def test_secret_is_read_by_a_policy_that_leaves_room_for_the_end_of_its_arn(
    cloud: Cloud, reader: boto3.Session
) -> None:
    secrets = client(cloud, reader, "secretsmanager")
    arn = cloud.client("secretsmanager").describe_secret(SecretId="plant/chat")["ARN"]

    assert re.fullmatch(f"{SECRETS}:plant/chat-.{{6}}", arn)
    assert secrets.get_secret_value(SecretId="plant/chat")["SecretString"] == "told"
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == "told"
    _, code, message = refusal(lambda: secrets.get_secret_value(SecretId="plant/name"))
    assert code == "AccessDeniedException"
    assert f"secretsmanager:GetSecretValue on resource: {SECRETS}:plant/name-" in message


def test_explicit_deny_of_a_resource_wins(cloud: Cloud, reader: boto3.Session) -> None:
    document = {
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::guarded/*",
            },
            {
                "Effect": "Allow",
                "Principal": {"AWS": ROOT},
                "Action": "s3:*",
                "Resource": "arn:aws:s3:::guarded/*",
            },
        ]
    }
    cloud.client("s3").put_bucket_policy(Bucket="guarded", Policy=json.dumps(document))

    _, code, message = refusal(lambda: client(cloud, reader, "s3").get_object(Bucket="guarded", Key="key"))
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_queue_policy_allows_without_an_identity_policy(cloud: Cloud, reader: boto3.Session) -> None:
    arn = f"arn:aws:sqs:{ARN}:work"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": SESSION},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs = cloud.client("sqs")
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [{**statement, "Resource": arn}]})}
    )

    client(cloud, reader, "sqs").send_message(QueueUrl=url, MessageBody="hello")
    assert refusal(lambda: client(cloud, reader, "sqs").receive_message(QueueUrl=url))[1] == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("s3", lambda s3: s3.list_buckets(), "InvalidAccessKeyId"),
        ("dynamodb", lambda db: db.list_tables(), "UnrecognizedClientException"),
        ("sns", lambda sns: sns.list_topics(), "InvalidClientTokenId"),
    ],
)
def test_key_that_nobody_issued_is_unknown(
    cloud: Cloud, service: str, call: Callable[[Any], object], code: str
) -> None:
    stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret")

    assert refusal(lambda: call(client(cloud, stranger, service)))[1] == code


def test_token_of_another_session_does_not_belong_to_the_key(cloud: Cloud, reader: boto3.Session) -> None:
    cloud.role("other", ROOT)
    mine, others = reader.get_credentials(), session(cloud, "other").get_credentials()
    assert mine is not None
    assert others is not None
    mixed = boto3.Session(mine.access_key, mine.secret_key, others.token)

    assert refusal(lambda: client(cloud, mixed, "dynamodb").list_tables())[1] == "UnrecognizedClientException"


def test_request_without_credentials_is_refused(cloud: Cloud) -> None:
    nobody = Config(signature_version=UNSIGNED)
    url = cloud.settings.endpoint_url
    db = boto3.client("dynamodb", endpoint_url=url, region_name="us-east-1", config=nobody)
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=nobody)

    assert refusal(db.list_tables)[1].startswith("MissingAuthenticationToken")
    assert refusal(lambda: s3.get_object(Bucket="open", Key="key"))[1] == "AccessDenied"


def test_presigned_url_is_its_signers_request(cloud: Cloud, reader: boto3.Session) -> None:
    def fetch(key: str, bucket: str) -> int:
        url = client(cloud, reader, "s3").generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})
        try:
            with urllib.request.urlopen(url) as answer:  # http, loopback
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert fetch("key", "open") == 200
    assert fetch("key", "guarded") == 403


def test_operation_whose_permission_nobody_wrote_down_is_refused_by_name(
    cloud: Cloud, reader: boto3.Session
) -> None:
    _, _, message = refusal(lambda: client(cloud, reader, "glue").get_databases())

    assert "which permission glue:GetDatabases needs" in message
    assert "localcloud/authorization/needs.py" in message


def test_function_calls_as_its_role_and_only_where_lambda_may_assume_it(cloud: Cloud) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("function.py", ASSUMED)
    client_ = cloud.client("lambda")
    for name, trusted in (("assumed", "lambda"), ("distrusted", "states")):
        client_.create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=cloud.role(name, trusted),
            Handler="function.handle",
            Code={"ZipFile": archive.getvalue()},
            Timeout=20,
        )
    answers = {
        name: json.load(client_.invoke(FunctionName=name)["Payload"]) for name in ("assumed", "distrusted")
    }

    assert answers["assumed"] == "arn:aws:sts::123456789012:assumed-role/assumed/assumed"
    assert answers["distrusted"]["errorMessage"] == (
        "The role defined for the function cannot be assumed by Lambda."
    )


def test_schedule_fires_by_its_role_and_not_without_its_permission(cloud: Cloud) -> None:
    sqs, schedules = cloud.client("sqs"), cloud.client("scheduler")
    may = {"Action": "sqs:SendMessage", "Resource": f"arn:aws:sqs:{ARN}:ticks"}
    roles = {
        "ticks": cloud.role("ticker", "scheduler", may),
        "never": cloud.role("sleeper", "scheduler", {**may, "Resource": f"arn:aws:sqs:{ARN}:other"}),
    }
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in roles}
    at = datetime.now(timezone.utc) + timedelta(seconds=2)
    for name, role in roles.items():
        schedules.create_schedule(
            Name=name,
            ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"arn:aws:sqs:{ARN}:{name}",
                "RoleArn": role,
                "Input": "<aws.scheduler.scheduled-time>",
            },
        )

    told = eventually(
        lambda: sqs.receive_message(QueueUrl=urls["ticks"]).get("Messages"), what="the tick", seconds=30
    )

    assert [message["Body"] for message in told] == [f"{at:%Y-%m-%dT%H:%M:%SZ}"]
    denied = eventually(lambda: [each for each in refused_of(cloud) if "sleeper" in each], what="the denial")
    assert "is not authorized to perform: sqs:SendMessage" in denied[0]
    assert "Messages" not in sqs.receive_message(QueueUrl=urls["never"])


def refused_of(cloud: Cloud) -> list[str]:
    cloud.run("status", check=False)  # it writes what was recorded
    return [each.message for each in Journal.read(cloud.settings.home / "iam").entries if not each.allowed]


def test_key_policy_must_allow_too(cloud: Cloud) -> None:
    kms = cloud.client("kms")
    everything = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
    nobody = {**everything, "Action": "kms:DescribeKey"}
    open_, closed = (
        kms.create_key(Policy=json.dumps({"Statement": [each]}))["KeyMetadata"]["KeyId"]
        for each in (everything, nobody)
    )
    cloud.role("cipher", ROOT, {"Action": ["kms:Encrypt"], "Resource": "*"})
    mine = client(cloud, session(cloud, "cipher"), "kms")

    assert mine.encrypt(KeyId=open_, Plaintext=b"a")["CiphertextBlob"]
    _, code, message = refusal(lambda: mine.encrypt(KeyId=closed, Plaintext=b"a"))
    assert code == "AccessDeniedException"
    assert message.endswith("because no resource-based policy allows the kms:Encrypt action")


def test_report_names_denials_and_mutation_finds_what_is_missed(cloud: Cloud, reader: boto3.Session) -> None:
    client(cloud, reader, "s3").get_object(Bucket="open", Key="key")
    cloud.client("s3").put_object(Bucket="open", Key="saved", Body=b"")  # wakes the snapshot

    def report() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(cloud.run("iam", "report", "--json").stdout)
        return found

    eventually(lambda: "s3:GetObject" in report()["calls"].get("reader", {}), what="the call")
    found = report()
    mutated = json.loads(cloud.run("iam", "mutate", "--json").stdout)

    assert any("s3:PutObject" in sentence for sentence in found["denied"])
    last = f"readerPermissions#{len(READER) - 1}"
    assert [last, ["neptune-db:*"]] in found["unused"]["reader"]
    assert f"reader: {last}" in mutated["missed"]
    assert "reader: readerPermissions#0" not in mutated["missed"]
    assert [f"reader: {last}"] in mutated["missed_definitions"]
    assert mutated["definitions"] <= mutated["mutants"]
    said = cloud.run("iam", "mutate").stdout
    assert "permissions as templates define them: caught" in said
    assert f"reader: {last} (neptune-db:*)" in said
