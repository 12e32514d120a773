"""The local cloud comes up, survives being killed, and leaves no process behind."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
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


def test_execution_that_was_killed_in_mid_run_completes_after_a_restart(cloud: Cloud) -> None:
    cloud.start()
    make_role(cloud)
    make_function(cloud)
    states = cloud.client("stepfunctions")
    machine = states.create_state_machine(name="machine", definition=json.dumps(MACHINE), roleArn=ROLE)
    arn = states.start_execution(stateMachineArn=machine["stateMachineArn"], input='{"value": 5}')[
        "executionArn"
    ]

    def entered() -> list[str]:
        events = states.get_execution_history(executionArn=arn)["events"]
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in events
            if "stateEnteredEventDetails" in event
        ]

    eventually(lambda: "Pause" in entered(), what="the wait state")
    saved = cloud.settings.home / "state" / "stepfunctions.json"
    eventually(lambda: saved.exists() and '"Pause"' in saved.read_text(), what="the snapshot")
    gone = family(cloud)
    cloud.server().kill()
    assert_all_gone(gone)
    cloud.start()

    done = eventually(
        lambda: (found := states.describe_execution(executionArn=arn))["status"] != "RUNNING" and found,
        what="the end",
    )
    assert (done["status"], json.loads(done["output"])) == ("SUCCEEDED", {"value": 20, "first": 5})
    assert entered() == ["First", "Pause", "Second", "Name"]


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


def test_acknowledged_records_and_messages_survive_a_kill(cloud: Cloud) -> None:
    cloud.start()
    make_role(cloud)
    cloud.client("s3").create_bucket(Bucket="kept")
    cloud.client("firehose").create_delivery_stream(
        DeliveryStreamName="stream",
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": "arn:aws:s3:::kept",
            "ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]},
        },
    )
    url = cloud.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="kept")
    make_function(cloud, "slow", SLOW)
    work = cloud.client("sqs").create_queue(QueueName="work", Attributes={"VisibilityTimeout": "720"})[
        "QueueUrl"
    ]
    arn = cloud.client("sqs").get_queue_attributes(QueueUrl=work, AttributeNames=["QueueArn"])["Attributes"]
    cloud.client("lambda").create_event_source_mapping(FunctionName="slow", EventSourceArn=arn["QueueArn"])
    cloud.client("sqs").send_message(QueueUrl=work, MessageBody="in work")
    eventually(lambda: begun(cloud) == ["begun/1"], what="the work")
    state = cloud.settings.home / "state"
    eventually(
        lambda: (state / "sqs.json").exists() and "kept" in (state / "sqs.json").read_text(), what="snapshot"
    )
    eventually(lambda: "stream" in (state / "firehose.json").read_text(), what="snapshot of the stream")
    records = [{"Data": str(number).encode()} for number in range(400)]
    cloud.client("firehose").put_record_batch(DeliveryStreamName="stream", Records=records)
    cloud.server().kill()  # the buffer has not been delivered
    eventually(lambda: Running.read(cloud.settings) is None, what="the end")
    cloud.start()

    def delivered() -> list[int]:
        client = cloud.client("s3")
        keys = [found["Key"] for found in client.list_objects_v2(Bucket="kept").get("Contents", [])]
        bodies = [
            client.get_object(Bucket="kept", Key=key)["Body"].read() for key in keys if "begun/" not in key
        ]
        return sorted(int(line) for body in bodies for line in body.splitlines())

    assert eventually(delivered, what="delivery") == list(range(400))
    assert cloud.client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"
    eventually(lambda: begun(cloud) == ["begun/1", "begun/2"], what="the work again, as its worker is gone")


def begun(cloud: Cloud) -> list[str]:
    listed = cloud.client("s3").list_objects_v2(Bucket="kept", Prefix="begun/").get("Contents", [])
    return [found["Key"] for found in listed]


def test_resources_of_a_stack_survive_a_kill(cloud: Cloud) -> None:
    cloud.start()
    make_role(cloud)
    stacks = cloud.client("cloudformation")
    stacks.create_stack(StackName="stack", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="stack", WaiterConfig={"Delay": 1})
    saved = cloud.settings.home / "state" / "cloudformation.json"
    made = '"StackStatus": "CREATE_COMPLETE"'
    eventually(lambda: saved.exists() and made in saved.read_text(), what="the snapshot")
    cloud.server().kill()
    eventually(lambda: Running.read(cloud.settings) is None, what="the end")
    cloud.start()

    answer = cloud.client("lambda").invoke(FunctionName="kept", Payload=b"{}")
    assert json.load(answer["Payload"]) == "kept"
    assert cloud.client("cloudwatch").describe_alarms(AlarmNames=["kept"])["MetricAlarms"]
    resources = stacks.describe_stack_resources(StackName="stack")["StackResources"]
    key = next(found for found in resources if found["LogicalResourceId"] == "Key")
    assert cloud.client("kms").describe_key(KeyId=key["PhysicalResourceId"])["KeyMetadata"]["Enabled"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_every_process(cloud: Cloud, number: signal.Signals) -> None:
    cloud.start()
    make_role(cloud)
    make_function(cloud)
    cloud.client("lambda").invoke(FunctionName="double", Payload=b'{"value": 1}')
    processes = family(cloud)
    assert len(processes) >= 3  # supervisor, server, worker and what that was forked off
    processes[0].send_signal(number)

    assert_all_gone(processes)


@pytest.mark.parametrize("victim", ["supervisor", "server"])
def test_kill_ends_every_process(cloud: Cloud, victim: str) -> None:
    cloud.start()
    make_role(cloud)
    make_function(cloud)
    cloud.client("lambda").invoke(FunctionName="double", Payload=b'{"value": 1}')
    processes = family(cloud)
    assert len(processes) >= 3  # supervisor, server, worker and what that was forked off
    (processes[0] if victim == "supervisor" else cloud.server()).kill()

    assert_all_gone(processes)


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


def test_reset_forgets_everything(cloud: Cloud) -> None:
    cloud.start()
    cloud.client("s3").create_bucket(Bucket="forgotten")
    cloud.stop()
    cloud.start()
    assert [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]] == ["forgotten"]
    cloud.run("reset", "--yes")
    cloud.start()

    assert cloud.client("s3").list_buckets()["Buckets"] == []
