"""What AWS refuses for its size or its name, the laptop refuses with the same error, and takes the rest."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.localcloud.cloud import Cloud, eventually, running_cloud

KIB, MIB = 1024, 1024 * 1024
ROLE = "arn:aws:iam::123456789012:role/limits"
SOURCE = (
    'def handle(event, context):\n    return "x" * event["characters"] if "characters" in event else None\n'
)
DOUBLE = {
    "StartAt": "Double",
    "States": {
        "Double": {
            "Type": "Pass",
            "Parameters": {"text.$": "States.Format('{}{}', $.text, $.text)"},
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Double"}],
            "End": True,
        }
    },
}


class Account:
    """What the requests are sent to."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        function = "arn:aws:lambda:us-east-1:123456789012:function:limits"
        calls = {"Action": "lambda:InvokeFunction", "Resource": function}
        assert cloud.role("limits", "lambda states firehose", calls) == ROLE
        s3, dynamodb = cloud.client("s3"), cloud.client("dynamodb")
        s3.create_bucket(Bucket="limits")
        cloud.client("firehose").create_delivery_stream(
            DeliveryStreamName="limits",
            ExtendedS3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::limits"},
        )
        self.queue = cloud.client("sqs").create_queue(QueueName="limits")["QueueUrl"]
        self.topic = cloud.client("sns").create_topic(Name="limits")["TopicArn"]
        key = {"AttributeName": "id", "KeyType": "HASH"}
        dynamodb.create_table(
            TableName="limits",
            KeySchema=[key],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.create_function("limits")
        self.machine = cloud.client("stepfunctions").create_state_machine(
            name="limits", definition=json.dumps(DOUBLE), roleArn=ROLE
        )["stateMachineArn"]

    def __getattr__(self, service: str) -> Any:
        return self.cloud.client(service.replace("_", "-"))

    def create_function(self, name: str, **variables: str) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            bundle.writestr("function.py", SOURCE)
        self.cloud.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=ROLE,
            Handler="function.handle",
            Code={"ZipFile": archive.getvalue()},
            Environment={"Variables": variables},
        )

    def put_records(self, *sizes: int) -> None:
        records = [{"Data": b"x" * size} for size in sizes]
        self.firehose.put_record_batch(DeliveryStreamName="limits", Records=records)

    def put_event(self, size: int) -> None:
        """Send an entry of so many bytes, by AWS's rule."""
        entry = {"Source": "own", "DetailType": "type", "Detail": text(size - 7)}
        self.events.put_events(Entries=[entry])

    def invoke(self, size: int, kind: str = "RequestResponse") -> Any:
        return self.cloud.client("lambda").invoke(
            FunctionName="limits", InvocationType=kind, Payload=text(size)
        )

    def start(self, size: int) -> str:
        started = self.stepfunctions.start_execution(stateMachineArn=self.machine, input=text(size))
        return str(started["executionArn"])


def text(size: int) -> str:
    """Return a JSON object of so many bytes."""
    return json.dumps({"text": "x" * (size - 12)})


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_cloud(tmp_path_factory.mktemp("cloud") / "home") as cloud:
        yield Account(cloud)


BEYOND: dict[str, tuple[Callable[[Account], object], str, str]] = {
    "a record of Firehose": (
        lambda at: at.firehose.put_record(
            DeliveryStreamName="limits", Record={"Data": b"x" * (1000 * KIB + 1)}
        ),
        "InvalidArgumentException",
        "1,?000 KiB|1024000",
    ),
    "records of a batch": (lambda at: at.put_records(*[1] * 501), "InvalidArgumentException", "500"),
    "bytes of a batch": (lambda at: at.put_records(*[900_000] * 5), "InvalidArgumentException", "4"),
    "a message of SQS": (
        lambda at: at.sqs.send_message(QueueUrl=at.queue, MessageBody="x" * (MIB + 1)),
        "InvalidParameterValue",
        "shorter than 1048576 bytes",
    ),
    "a message of SNS": (
        lambda at: at.sns.publish(TopicArn=at.topic, Message="x" * (256 * KIB + 1)),
        "InvalidParameter",
        "too long",
    ),
    "the entries of PutEvents": (lambda at: at.put_event(MIB + 1), "ValidationException", "Total size"),
    "the input of an execution": (
        lambda at: at.start(256 * KIB + 1),
        "ValidationException",
        "length less than or equal to 262144",
    ),
    "an item of DynamoDB": (
        lambda at: at.dynamodb.put_item(
            TableName="limits", Item={"id": {"S": "a"}, "text": {"S": "x" * 400 * KIB}}
        ),
        "ValidationException",
        "Item size has exceeded the maximum allowed size",
    ),
    "a synchronous payload": (
        lambda at: at.invoke(6 * MIB + 1),
        "RequestEntityTooLargeException",
        "RequestResponse invocation type .limit 6291456 bytes",
    ),
    "an asynchronous payload": (
        lambda at: at.invoke(MIB + 1, "Event"),
        "RequestEntityTooLargeException",
        "Event invocation type .limit 1048576 bytes",
    ),
    "the environment of a function": (
        lambda at: at.create_function("wordy", WORDS="x" * 4 * KIB),
        "InvalidParameterValueException",
        "exceeded the 4KB limit",
    ),
}


BROKEN: dict[str, tuple[Callable[[Account], object], str, str]] = {
    "the name of an execution": (
        lambda at: at.stepfunctions.start_execution(stateMachineArn=at.machine, name="n" * 81),
        "ValidationException",
        "at 'name' failed to satisfy constraint: Member must have length less than or equal to 80",
    ),
    "the name of a rule": (
        lambda at: at.events.put_rule(Name="every day", ScheduleExpression="rate(1 day)"),
        "ValidationException",
        "at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern",
    ),
    "the name of a log group": (
        lambda at: at.logs.create_log_group(logGroupName="a b"),
        "InvalidParameterException",
        "at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern",
    ),
    "the type of a parameter": (
        lambda at: at.ssm.put_parameter(Name="a", Value="b", Type="Number"),
        "ValidationException",
        "at 'type' failed to satisfy constraint: Member must satisfy enum value set",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_breaks_a_constraint_of_the_services_model_is_refused(account: Account, what: str) -> None:
    send, code, said = BROKEN[what]

    with pytest.raises(ClientError, match=said) as refused:
        send(account)

    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("what", BEYOND)
def test_what_is_beyond_a_limit_is_refused_as_on_aws(account: Account, what: str) -> None:
    send, code, said = BEYOND[what]

    with pytest.raises(ClientError, match=said) as refused:
        send(account)

    assert refused.value.response["Error"]["Code"] == code


def test_what_is_at_a_limit_is_taken(account: Account) -> None:
    account.put_event(MIB)
    account.start(256 * KIB)
    account.invoke(MIB, "Event")
    account.put_records(*[1_000] * 500)
    account.create_function("terse", WORDS="x" * (4 * KIB - 12))


def test_a_template_cannot_have_a_function_with_more_variables(account: Account) -> None:
    function = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "index.handle",
            "Role": ROLE,
            "Code": {"ZipFile": SOURCE},
            "Environment": {"Variables": {"WORDS": "x" * 4 * KIB}},
        },
    }
    template = json.dumps({"Resources": {"Wordy": function}})
    account.cloudformation.create_stack(StackName="wordy", TemplateBody=template)

    def failed() -> list[str]:
        events = account.cloudformation.describe_stack_events(StackName="wordy")["StackEvents"]
        return [
            event["ResourceStatusReason"]
            for event in events
            if event["LogicalResourceId"] == "Wordy" and event["ResourceStatus"] == "CREATE_FAILED"
        ]

    assert "exceeded the 4KB limit" in eventually(failed, what="the failed function")[0]


def failure_of(account: Account, arn: str) -> tuple[str, str, str]:
    def ended() -> Any:
        found = account.stepfunctions.describe_execution(executionArn=arn)
        return found["status"] != "RUNNING" and found

    found = eventually(ended, what="the end of the execution")
    return found["status"], found["error"], found["cause"]


def test_a_state_that_gives_more_than_256_kib_ends_the_execution_uncaught(account: Account) -> None:
    status, error, cause = failure_of(account, account.start(200 * KIB))

    assert (status, error) == ("FAILED", "States.DataLimitExceeded")
    assert cause.startswith("The state/task 'Double' returned a result")


def test_so_does_a_task_inside_a_map(account: Account) -> None:
    function = account.cloud.client("lambda").get_function(FunctionName="limits")["Configuration"]
    fetch = {"Type": "Task", "Resource": function["FunctionArn"], "End": True}
    each = {"Type": "Map", "Iterator": {"StartAt": "Fetch", "States": {"Fetch": fetch}}, "End": True}
    machine = account.stepfunctions.create_state_machine(
        name="each", definition=json.dumps({"StartAt": "Each", "States": {"Each": each}}), roleArn=ROLE
    )["stateMachineArn"]
    given = json.dumps([{"characters": 1}, {"characters": 300_000}])

    started = account.stepfunctions.start_execution(stateMachineArn=machine, input=given)

    status, error, cause = failure_of(account, started["executionArn"])
    assert (status, error) == ("FAILED", "States.DataLimitExceeded")
    assert "'Fetch'" in cause


def test_an_answer_of_more_than_6_mb_is_the_functions_error(account: Account) -> None:
    answer = account.cloud.client("lambda").invoke(
        FunctionName="limits", Payload=json.dumps({"characters": 6_291_557})
    )

    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_thing_whose_certificate_was_just_detached_is_not_removed_yet(account: Account) -> None:
    iot = account.iot
    iot.create_thing(thingName="pump")
    principal = iot.create_keys_and_certificate(setAsActive=True)["certificateArn"]
    iot.attach_thing_principal(thingName="pump", principal=principal)
    iot.detach_thing_principal(thingName="pump", principal=principal)

    with pytest.raises(iot.exceptions.InvalidRequestException, match="still attached"):
        iot.delete_thing(thingName="pump")

    def removed() -> bool:
        try:
            iot.delete_thing(thingName="pump")
        except iot.exceptions.InvalidRequestException:
            return False
        return True

    assert eventually(removed, what="the thing's removal")
