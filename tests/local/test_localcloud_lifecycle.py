"""The local cloud comes up, survives being killed, and leaves no process behind."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from localcloud.supervisor import Running
from tests.contract.localcloud.cloud import Cloud, eventually

pytestmark = pytest.mark.local

ROLE = "arn:aws:iam::123456789012:role/test"
PERMISSIONS = (
    {"Action": "lambda:InvokeFunction", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:double"},
    {"Action": "logs:*", "Resource": "*"},
    {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::*/*"},
    {"Action": "sqs:*", "Resource": "*"},
)
MACHINE = {
    "StartAt": "First",
    "States": {
        "First": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "double", "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "Next": "Pause",
        },
        "Pause": {"Type": "Wait", "Seconds": 4, "Next": "Second"},
        "Second": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "double", "Payload.$": "$", "Token.$": "$$.Execution.Input.value"},
            "ResultSelector": {"value.$": "$.Payload.value"},
            "Next": "Name",
        },
        "Name": {
            "Type": "Pass",
            "Parameters": {"value.$": "$.value", "first.$": "$$.Execution.Input.value"},
            "End": True,
        },
    },
}


TEMPLATE = {
    "Resources": {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "kept",
                "Runtime": "python3.11",
                "Role": ROLE,
                "Handler": "index.handle",
                "Code": {"ZipFile": "def handle(event, context):\n    return 'kept'\n"},
            },
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "kept",
                "Namespace": "Test",
                "MetricName": "errors",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanThreshold",
            },
        },
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Statement": []}}},
    }
}


@pytest.fixture
def cloud(tmp_path: Path) -> Any:
    made = Cloud(tmp_path / "home")
    yield made
    made.stop()


def make_role(cloud: Cloud) -> None:
    assert cloud.role("test", "lambda states firehose", *PERMISSIONS) == ROLE


DOUBLE = "def handle(event, context):\n    return {'value': 2 * event['value']}\n"
SLOW = """
import boto3, time
def handle(event, context):
    count = event["Records"][0]["attributes"]["ApproximateReceiveCount"]
    boto3.client("s3").put_object(Bucket="kept", Key=f"begun/{count}")
    time.sleep(60)
"""


def make_function(cloud: Cloud, name: str = "double", code: str = DOUBLE) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr(f"{name}.py", code)
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler=f"{name}.handle",
        Timeout=120,
        Code={"ZipFile": archive.getvalue()},
    )


def family(cloud: Cloud) -> list[psutil.Process]:
    running = Running.read(cloud.settings)
    assert running is not None
    supervisor = psutil.Process(running.supervisor)
    return [supervisor, *supervisor.children(recursive=True)]


def assert_all_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert alive == []


def test_a_kill_ends_every_process_and_what_was_acknowledged_goes_on_after_a_restart(cloud: Cloud) -> None:
    cloud.start()
    make_role(cloud)
    make_function(cloud)
    executed = start_an_execution(cloud)
    delivered, received = put_records(cloud), send_messages(cloud)
    stack_works = make_a_stack(cloud)
    eventually(lambda: "Pause" in entered(cloud, executed), what="the wait state")
    for service, text in (
        ("stepfunctions", '"Pause"'),
        ("sqs", "kept"),
        ("firehose", "stream"),
        ("cloudformation", '"StackStatus": "CREATE_COMPLETE"'),
    ):
        saved = cloud.settings.home / "state" / f"{service}.json"
        eventually(lambda saved=saved, text=text: saved.exists() and text in saved.read_text(), what=service)
    records = [{"Data": str(number).encode()} for number in range(400)]
    cloud.client("firehose").put_record_batch(DeliveryStreamName="stream", Records=records)
    gone = family(cloud)
    cloud.server().kill()  # the buffer has not been delivered
    assert_all_gone(gone)
    cloud.start()

    assert eventually(delivered, what="delivery") == list(range(400))
    received()
    stack_works()
    states = cloud.client("stepfunctions")
    done = eventually(
        lambda: (found := states.describe_execution(executionArn=executed))["status"] != "RUNNING" and found,
        what="the end",
    )
    assert (done["status"], json.loads(done["output"])) == ("SUCCEEDED", {"value": 20, "first": 5})
    assert entered(cloud, executed) == ["First", "Pause", "Second", "Name"]

    gone = family(cloud)
    assert len(gone) > 3  # functions' workers, too
    gone[0].kill()
    assert_all_gone(gone)


def start_an_execution(cloud: Cloud) -> str:
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(name="machine", definition=json.dumps(MACHINE), roleArn=ROLE)
    arn: str = states.start_execution(stateMachineArn=machine["stateMachineArn"], input='{"value": 5}')[
        "executionArn"
    ]
    return arn


def entered(cloud: Cloud, arn: str) -> list[str]:
    events = cloud.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return [
        event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event
    ]


def put_records(cloud: Cloud) -> Callable[[], list[int]]:
    """Make a stream and its bucket; return what tells which records were delivered."""
    client = cloud.client("s3")
    client.create_bucket(Bucket="kept")
    cloud.client("firehose").create_delivery_stream(
        DeliveryStreamName="stream",
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": "arn:aws:s3:::kept",
            "ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]},
        },
    )

    def delivered() -> list[int]:
        keys = [found["Key"] for found in client.list_objects_v2(Bucket="kept").get("Contents", [])]
        bodies = [
            client.get_object(Bucket="kept", Key=key)["Body"].read() for key in keys if "begun/" not in key
        ]
        return sorted(int(line) for body in bodies for line in body.splitlines())

    return delivered


def send_messages(cloud: Cloud) -> Callable[[], None]:
    """Send one that nobody takes and one that is in work; return what looks for both."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="queue")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="kept")
    make_function(cloud, "slow", SLOW)
    work = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "720"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=work, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    cloud.client("lambda").create_event_source_mapping(FunctionName="slow", EventSourceArn=arn)
    sqs.send_message(QueueUrl=work, MessageBody="in work")
    eventually(lambda: begun(cloud) == ["begun/1"], what="the work")

    def received() -> None:
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"
        eventually(lambda: begun(cloud) == ["begun/1", "begun/2"], what="the work again: its worker is gone")

    return received


def begun(cloud: Cloud) -> list[str]:
    listed = cloud.client("s3").list_objects_v2(Bucket="kept", Prefix="begun/").get("Contents", [])
    return [found["Key"] for found in listed]


def make_a_stack(cloud: Cloud) -> Callable[[], None]:
    """Make a stack; return what looks for its resources."""
    stacks = cloud.client("cloudformation")
    stacks.create_stack(StackName="stack", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="stack", WaiterConfig={"Delay": 1})

    def works() -> None:
        answer = cloud.client("lambda").invoke(FunctionName="kept", Payload=b"{}")
        assert json.load(answer["Payload"]) == "kept"
        assert cloud.client("cloudwatch").describe_alarms(AlarmNames=["kept"])["MetricAlarms"]
        resources = stacks.describe_stack_resources(StackName="stack")["StackResources"]
        key = next(found for found in resources if found["LogicalResourceId"] == "Key")
        assert cloud.client("kms").describe_key(KeyId=key["PhysicalResourceId"])["KeyMetadata"]["Enabled"]

    return works


def test_execution_whose_start_was_answered_survives_a_kill_with_what_was_written_before(
    tmp_path: Path,
) -> None:
    cloud = Cloud(
        tmp_path / "home", LOCALCLOUD_PERSISTENCE_INTERVAL_SECONDS="3600"
    )  # no snapshot comes by itself
    try:
        cloud.start()
        states, tables = cloud.client("stepfunctions"), cloud.client("dynamodb")
        tables.create_table(
            TableName="requests",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        definition = {
            "StartAt": "Pause",
            "States": {
                "Pause": {"Type": "Wait", "Seconds": 2, "Next": "Name"},
                "Name": {"Type": "Pass", "End": True},
            },
        }
        machine = states.create_state_machine(name="machine", definition=json.dumps(definition), roleArn=ROLE)
        arns = []
        for number in range(3):
            tables.put_item(TableName="requests", Item={"pk": {"S": str(number)}})
            started = states.start_execution(
                stateMachineArn=machine["stateMachineArn"], name=f"run-{number}", input=json.dumps(number)
            )
            arns.append(started["executionArn"])
        cloud.server().kill()
        eventually(lambda: Running.read(cloud.settings) is None, what="the end")
        cloud.start()

        for number, arn in enumerate(arns):
            eventually(
                lambda arn=arn: states.describe_execution(executionArn=arn)["status"] == "SUCCEEDED",
                what="the end of the execution",
            )
            assert states.describe_execution(executionArn=arn)["output"] == str(number)
            assert "Item" in tables.get_item(TableName="requests", Key={"pk": {"S": str(number)}})
    finally:
        cloud.stop()


def test_signals_end_every_process_and_only_reset_forgets(cloud: Cloud) -> None:
    def end_by(number: signal.Signals) -> None:
        make_role(cloud)
        make_function(cloud)
        cloud.client("lambda").invoke(FunctionName="double", Payload=b'{"value": 1}')
        processes = family(cloud)
        assert len(processes) >= 3  # supervisor, server, worker and what that was forked off
        processes[0].send_signal(number)
        assert_all_gone(processes)

    def buckets() -> list[str]:
        return [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]

    cloud.start()
    cloud.client("s3").create_bucket(Bucket="forgotten")
    end_by(signal.SIGINT)
    cloud.start()
    assert buckets() == ["forgotten"]
    cloud.run("reset", "--yes")
    cloud.start()

    assert buckets() == []
    end_by(signal.SIGTERM)


def test_foreground_ends_with_the_process_that_started_it(cloud: Cloud) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'localcloud', 'up', '--quiet'])"
    parent = subprocess.Popen([sys.executable, "-c", script], env=cloud.environment)
    eventually(lambda: Running.read(cloud.settings) is not None, what="start")
    processes = family(cloud)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    assert_all_gone(processes)


def test_taken_port_is_refused_with_the_name_of_its_holder(cloud: Cloud) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", cloud.settings.port))
        holder.listen()
        refused = cloud.run("up", "--detach", check=False)

    assert refused.returncode == 1
    assert f"port {cloud.settings.port} is taken by process {os.getpid()}" in refused.stderr.replace(
        "\n", " "
    )
