"""The contract app, deployed by the real CDK with unmodified templates: every path through it works."""

import gzip
import json
import ssl
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import paho.mqtt.client as mqtt
import pytest

from cli import publisher
from cli.device import broker_of, provisioned
from tests.contract.localcloud.cloud import APP, Cloud, eventually, running_cloud

COVERAGE = Path("localcloud/COVERAGE.md")
MORNING = datetime(2026, 3, 1, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    with running_cloud(folder / "home") as found:
        found.run("deploy", str(APP), "--", "--output", str(folder / "cdk.out"))
        yield found


@pytest.fixture(scope="module")
def outputs(cloud: Cloud) -> dict[str, str]:
    return cloud.outputs("ContractStateful", "ContractFlow")


def seen(cloud: Cloud, outputs: dict[str, str]) -> list[str]:
    pages = (
        cloud.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=outputs["TableName"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "seen"}},
        )
    )
    return [item["body"]["S"] for page in pages for item in page["Items"]]


def objects(cloud: Cloud, outputs: dict[str, str], prefix: str) -> dict[str, bytes]:
    client = cloud.client("s3")
    listed = client.list_objects_v2(Bucket=outputs["BucketName"], Prefix=prefix).get("Contents", [])
    return {
        found["Key"]: client.get_object(Bucket=outputs["BucketName"], Key=found["Key"])["Body"].read()
        for found in listed
    }


def lines(found: dict[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for body in found.values() for line in gzip.decompress(body).splitlines()]


def messages(cloud: Cloud, url: str) -> list[str]:
    client = cloud.client("sqs")
    found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
        "Messages", []
    )
    for message in found:
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in found]


def test_records_are_partitioned_compressed_and_delimited(cloud: Cloud, outputs: dict[str, str]) -> None:
    records = [{"workload": "even" if number % 2 == 0 else "odd", "n": number} for number in range(10)]
    cloud.client("firehose").put_record_batch(
        DeliveryStreamName=outputs["StreamName"],
        Records=[{"Data": json.dumps(item).encode()} for item in records],
    )

    found = eventually(lambda: objects(cloud, outputs, "raw/even/"), what="object of the partition")
    assert all(key.endswith(".gz") for key in found)
    assert [line["n"] for line in lines(found)] == [0, 2, 4, 6, 8]
    assert [line["n"] for line in lines(objects(cloud, outputs, "raw/odd/"))] == [1, 3, 5, 7, 9]


def test_record_without_partition_key_goes_to_the_error_prefix(cloud: Cloud, outputs: dict[str, str]) -> None:
    cloud.client("firehose").put_record(DeliveryStreamName=outputs["StreamName"], Record={"Data": b"no json"})

    found = eventually(lambda: objects(cloud, outputs, "raw-errors/processing-failed/"), what="error object")
    document = json.loads(next(iter(found.values())).splitlines()[0])
    assert "not JSON" in document["errorMessage"]


def test_new_object_reaches_the_function_as_an_event_of_s3(cloud: Cloud, outputs: dict[str, str]) -> None:
    version = cloud.client("s3").put_object(Bucket=outputs["BucketName"], Key="raw/event/x y", Body=b"1")[
        "VersionId"
    ]

    body = eventually(
        lambda: [item for item in seen(cloud, outputs) if "raw/event/x y" in item], what="event"
    )[0]
    event = json.loads(body)
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert event["detail"]["bucket"] == {"name": outputs["BucketName"]}
    assert set(event["detail"]) == {
        "version", "bucket", "object", "request-id", "requester", "source-ip-address", "reason"
    }  # fmt: skip
    assert set(event["detail"]["object"]) == {"key", "size", "etag", "version-id", "sequencer"}
    assert event["detail"]["object"]["version-id"] == version


def test_poison_message_goes_to_the_dead_letter_queue_and_its_batch_is_kept(
    cloud: Cloud, outputs: dict[str, str]
) -> None:
    entries = [
        {"Id": str(number), "MessageBody": body} for number, body in enumerate(["good", "poison", "fine"])
    ]
    cloud.client("sqs").send_message_batch(QueueUrl=outputs["WorkUrl"], Entries=entries)

    assert eventually(lambda: messages(cloud, outputs["DeadLettersUrl"]), what="dead letter") == ["poison"]
    assert {"good", "fine"} <= set(seen(cloud, outputs))


def test_failed_asynchronous_call_goes_to_its_destination(cloud: Cloud, outputs: dict[str, str]) -> None:
    functions = cloud.client("lambda").list_functions()["Functions"]
    name = next(found["FunctionName"] for found in functions if "Failing" in found["FunctionName"])
    cloud.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"why": "test"}')

    record = json.loads(eventually(lambda: messages(cloud, outputs["DeadLettersUrl"]), what="destination")[0])
    assert record["requestPayload"] == {"why": "test"}
    assert record["responsePayload"]["errorType"] == "AlwaysError"


def test_event_on_a_bus_reaches_the_function(cloud: Cloud, outputs: dict[str, str]) -> None:
    entry = {
        "Source": "contract",
        "DetailType": "Happened",
        "Detail": '{"n": 41}',
        "EventBusName": outputs["BusName"],
    }
    cloud.client("events").put_events(Entries=[entry])

    body = eventually(lambda: [item for item in seen(cloud, outputs) if "Happened" in item], what="event")[0]
    assert json.loads(body)["detail"] == {"n": 41}


def test_subscription_filters_by_string_array_and_number(cloud: Cloud, outputs: dict[str, str]) -> None:
    for text, severity, routes in (
        ("too low", "10", ["pager"]),
        ("elsewhere", "90", ["email"]),
        ("arrives", "90", ["email", "pager"]),
    ):
        cloud.client("sns").publish(
            TopicArn=outputs["TopicArn"],
            Message=text,
            MessageAttributes={
                "severity": {"DataType": "Number", "StringValue": severity},
                "routes": {"DataType": "String.Array", "StringValue": json.dumps(routes)},
            },
        )

    assert eventually(lambda: messages(cloud, outputs["InboxUrl"]), what="message") == ["arrives"]


def test_state_machine_catches_the_functions_own_error(cloud: Cloud, outputs: dict[str, str]) -> None:
    client = cloud.client("stepfunctions")
    text = json.dumps({"wait_seconds": 0, "fail": True})
    arn = client.start_execution(stateMachineArn=outputs["MachineArn"], input=text)["executionArn"]

    done = eventually(lambda: _ended(client, arn), what="end of the execution")
    assert (done["status"], done["error"], done["cause"]) == ("FAILED", "Rejected", "WorkError was caught")


def test_alarm_follows_the_metric_of_its_own_function(cloud: Cloud, outputs: dict[str, str]) -> None:
    client = cloud.client("lambda")
    answer = client.invoke(FunctionName=outputs["WorkerName"], Payload=b'{"fail": true}')
    assert answer["FunctionError"] == "Unhandled"

    def states() -> dict[str, str]:
        found = cloud.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return {
            item["AlarmName"]: item["StateValue"]
            for kind in ("MetricAlarms", "CompositeAlarms")
            for item in found[kind]
        }

    eventually(lambda: set(states().values()) == {"ALARM"}, what="metric alarm and composite alarm")


def test_device_publishes_with_its_certificate(cloud: Cloud, outputs: dict[str, str], tmp_path: Path) -> None:
    device = _device(cloud, tmp_path)
    for quality in (0, 1):
        device.publish(
            "telemetry/pump-7/readings", json.dumps({"value": quality}), qos=quality
        ).wait_for_publish(10)

    found = eventually(
        lambda: rows if len(rows := lines(objects(cloud, outputs, "raw/contract/"))) == 2 else [],
        what="both messages",
    )
    device.disconnect()
    device.loop_stop()
    assert [(row["value"], row["device"], row["workload"]) for row in found] == [
        (0, "pump-7", "contract"),
        (1, "pump-7", "contract"),
    ]
    assert all(isinstance(row["received_at"], int) for row in found)


def test_a_message_of_basic_ingest_goes_to_the_rule_that_its_topic_names(
    cloud: Cloud, outputs: dict[str, str], tmp_path: Path
) -> None:
    device = _device(cloud, tmp_path)
    for rule in ("contract_readings", "no_such_rule"):
        topic = f"$aws/rules/{rule}/telemetry/pump-9/readings"
        device.publish(topic, json.dumps({"of": rule}), qos=1).wait_for_publish(5)
        if rule == "no_such_rule":
            eventually(lambda: not device.is_connected(), what="refusal of what the policy does not allow")
    device.loop_stop()

    found = eventually(
        lambda: [row for row in lines(objects(cloud, outputs, "raw/contract/")) if row["device"] == "pump-9"],
        what="object of the rule",
    )
    assert [row["of"] for row in found] == ["contract_readings"]


def test_inactive_certificate_and_no_certificate_are_refused(cloud: Cloud, tmp_path: Path) -> None:
    device = _device(cloud, tmp_path)
    device.disconnect()
    device.loop_stop()
    iot = cloud.client("iot")
    for certificate in iot.list_certificates()["certificates"]:
        iot.update_certificate(certificateId=certificate["certificateId"], newStatus="INACTIVE")
    refused = _client(tmp_path, certificate=True)
    codes: list[Any] = []
    refused.on_connect = lambda client, data, flags, reason, properties: codes.append(reason)
    refused.connect("127.0.0.1", cloud.settings.mqtt_tls_port)
    refused.loop_start()
    eventually(lambda: codes, what="answer to the connection")
    refused.loop_stop()

    assert codes[0].is_failure
    anonymous = _client(tmp_path, certificate=False)
    events: list[str] = []
    anonymous.on_connect = lambda *arguments: events.append("connected")
    anonymous.on_disconnect = lambda *arguments: events.append("disconnected")
    try:
        anonymous.connect("127.0.0.1", cloud.settings.mqtt_tls_port)
        anonymous.loop_start()
        eventually(lambda: events, what="end of the connection")
        anonymous.loop_stop()
    except (ssl.SSLError, OSError):
        events.append("refused")
    assert events[0] != "connected"


def test_what_is_published_too_fast_is_discarded_and_sent_again(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": cloud.settings.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": cloud.settings.region,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(publisher, "PUBLISHES_PER_SECOND", 1000.0)
    monkeypatch.setattr(publisher, "RESEND_SECONDS", 1.0)
    sent: list[str] = []
    send = mqtt.Client.publish

    def counted(client: mqtt.Client, topic: str, payload: bytes, qos: int) -> mqtt.MQTTMessageInfo:
        sent.append(topic)
        return send(client, topic, payload, qos=qos)

    monkeypatch.setattr(mqtt.Client, "publish", counted)
    session = boto3.Session()
    authority = f"{cloud.settings.endpoint_url}/_ministack/iot/ca.pem"
    broker = broker_of(session, "127.0.0.1", cloud.settings.mqtt_tls_port, authority)

    with (
        provisioned(session, "press", "plant/press") as identity,
        publisher.Publisher(broker, identity, timedelta(days=1), connections=2) as device,
    ):
        for number in range(400):
            message = json.dumps({"number": number}).encode()
            device.publish("plant/press", message, MORNING + timedelta(minutes=number))
        device.drain()

    assert len(sent) > 400, "nothing was discarded"
    iot = cloud.client("iot")
    assert [each for each in iot.list_things()["things"] if "press" in each["thingName"]] == []
    assert [each for each in iot.list_policies()["policies"] if "press" in each["policyName"]] == []


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT upper(name) AS n FROM 'a'", "upper()"),
        ("SELECT cast(value AS Int) AS n FROM 'a'", "cast()"),
        ("SELECT values[0] AS n FROM 'a'", "array index"),
        ("SELECT CASE v WHEN 1 THEN 2 END AS n FROM 'a'", "CASE"),
        ("SELECT regexp_matches(v, 'x') AS n FROM 'a'", "regexp_matches()"),
        ("SELECT (SELECT v FROM list) AS n FROM 'a'", "nested SELECT"),
    ],
)
def test_rule_that_would_give_empty_fields_is_refused_by_name(cloud: Cloud, sql: str, named: str) -> None:
    iot = cloud.client("iot")

    with pytest.raises(iot.exceptions.SqlParseException, match="has no") as refusal:
        iot.create_topic_rule(ruleName="refused", topicRulePayload={"sql": sql, "actions": []})
    assert named in str(refusal.value)


def test_unknown_resource_type_fails_the_stack_by_name(cloud: Cloud) -> None:
    client = cloud.client("cloudformation")
    template = {"Resources": {"X": {"Type": "AWS::Neptune::DBCluster"}}}

    with pytest.raises(client.exceptions.ClientError, match="AWS::Neptune::DBCluster"):
        client.create_stack(StackName="unknown", TemplateBody=json.dumps(template))


def test_every_ignored_property_is_in_the_coverage_page(cloud: Cloud) -> None:
    listed = json.loads(cloud.run("coverage", "--json").stdout)
    page = COVERAGE.read_text()

    missing = [
        f"{kind}.{name}"
        for kind, names in listed.items()
        for name in names
        if f"| {kind} | {name} |" not in page
    ]
    assert missing == []


def test_nothing_listens_beyond_loopback(cloud: Cloud) -> None:
    server = cloud.server()
    listening = {
        connection.laddr.ip
        for process in [server, *server.children(recursive=True)]
        for connection in process.net_connections(kind="inet")
        if connection.status == "LISTEN"
    }

    assert listening == {"127.0.0.1"}


def _ended(client: Any, arn: str) -> Any:
    found = client.describe_execution(executionArn=arn)
    return found if found["status"] != "RUNNING" else None


def _device(cloud: Cloud, folder: Path) -> mqtt.Client:
    iot = cloud.client("iot")
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName="localcloud-contract", target=made["certificateArn"])
    iot.attach_thing_principal(thingName="localcloud-contract", principal=made["certificateArn"])
    (folder / "certificate.pem").write_text(made["certificatePem"])
    (folder / "key.pem").write_text(made["keyPair"]["PrivateKey"])
    with urllib.request.urlopen(f"{cloud.settings.endpoint_url}/_ministack/iot/ca.pem") as answer:
        (folder / "ca.pem").write_bytes(answer.read())
    client = _client(folder, certificate=True)
    connected: list[Any] = []
    client.on_connect = lambda client, data, flags, reason, properties: connected.append(reason)
    client.connect("127.0.0.1", cloud.settings.mqtt_tls_port)
    client.loop_start()
    assert not eventually(lambda: connected, what="connection")[0].is_failure
    return client


def _client(folder: Path, *, certificate: bool) -> mqtt.Client:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="localcloud-contract")
    own = (
        {"certfile": str(folder / "certificate.pem"), "keyfile": str(folder / "key.pem")}
        if certificate
        else {}
    )
    client.tls_set(ca_certs=str(folder / "ca.pem"), **own)
    return client
