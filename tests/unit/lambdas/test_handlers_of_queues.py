"""The functions behind queues, from golden events to AWS (moto), through Powertools."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.alerting import handler as publish_alert
from lambdas.alerting.environment import PublishAlertEnvironment
from lambdas.incidents import handler as group_anomalies
from lambdas.incidents.environment import GroupAnomaliesEnvironment
from lambdas.runtime import queue_handler
from lambdas.runtime.typed_environment import TypedEnvironment
from lambdas.scoring import handler as score_telemetry
from lambdas.scoring.environment import LATE_MILLISECONDS, ScoreTelemetryEnvironment
from lambdas.scoring.telemetry_object import TelemetryObject
from tests.unit.lambdas.builders import BUCKET, WORKLOAD, make_plan, make_release, packed_lines, reading
from tests.unit.lambdas.conftest import ANOMALIES_TABLE, IDEMPOTENCY_TABLE, INCIDENTS_TABLE, SERIES_TABLE, sqs
from tests.unit.lambdas.fakes import FakeEndpoint
from tests.unit.lambdas.golden_events import golden_event
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import of_scores
from watchkeeper.core.errors import UnavailableError
from watchkeeper.core.layout import plan_parameter
from watchkeeper.incidents.incident import Incident


@dataclass
class Context:
    function_name: str = "function"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@pytest.fixture
def deployed(aws: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    environments: tuple[TypedEnvironment, ...] = (
        ScoreTelemetryEnvironment(
            data_bucket=BUCKET,
            page_bucket=BUCKET,
            series_table=SERIES_TABLE,
            anomalies_table=ANOMALIES_TABLE,
            idempotency_table=IDEMPOTENCY_TABLE,
            alert_bus=aws.bus,
        ),
        PublishAlertEnvironment(
            alert_topic_arn=aws.topic_arn,
            idempotency_table=IDEMPOTENCY_TABLE,
            incidents_table=INCIDENTS_TABLE,
            dashboard_url="https://example.com",
            link_key="arn:aws:secretsmanager:us-east-1:123456789012:secret:links",
        ),
        GroupAnomaliesEnvironment(
            incidents_table=INCIDENTS_TABLE, series_table=SERIES_TABLE, alert_bus=aws.bus
        ),
    )
    for environment in environments:
        for name, value in environment.variables().items():
            monkeypatch.setenv(name, value)
    clients.ssm().put_parameter(Name=plan_parameter(WORKLOAD), Value=make_plan().to_json(), Type="String")
    caches: tuple[Any, ...] = (
        score_telemetry.effects,
        publish_alert.effects,
        group_anomalies.effects,
        queue_handler._layer,
    )
    for cache in caches:
        cache.cache_clear()
    yield aws
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> FakeEndpoint:
    fake = FakeEndpoint(make_release())
    monkeypatch.setattr("lambdas.scoring.effects.SageMakerEndpoint", lambda client: fake)
    return fake


def put_telemetry() -> None:
    records = golden_event("object_created_batch")["Records"]
    contents = (
        [reading(0, 10), reading(60, 90), "not json"],
        [reading(10_000, 1, received_at=1_704_080_000_000)],
    )
    for record, lines in zip(records, contents, strict=False):
        key = json.loads(record["body"])["detail"]["object"]["key"]
        clients.s3().put_object(Bucket=BUCKET, Key=key, Body=packed_lines(lines))


def objects_under(prefix: str) -> list[str]:
    s3 = clients.s3()
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]
    bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
    texts = [
        gzip.decompress(body) if key.endswith(".gz") else body for key, body in zip(keys, bodies, strict=True)
    ]
    return [line.decode() for text in texts for line in of_scores(text.splitlines())]


def received(queue_url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while messages := sqs().receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


def metric_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if '"_aws"' in line]


def failed(answer: Any) -> list[str]:
    return [item["itemIdentifier"][:8] for item in answer["batchItemFailures"]]


@pytest.fixture
def scoring(deployed: SimpleNamespace, endpoint: FakeEndpoint) -> Callable[[], Any]:
    store = TableReleaseStore(clients.dynamodb(), SERIES_TABLE)
    store.stage(make_release())
    store.publish(make_release())
    # The second message announces a version; the bucket of these tests has none.
    event = golden_event("object_created_batch")
    body = json.loads(event["Records"][1]["body"])
    del body["detail"]["object"]["version-id"]
    event["Records"][1]["body"] = json.dumps(body)
    return lambda: score_telemetry.handle(event, Context())


def test_batch_becomes_scores_anomalies_and_events(
    scoring: Callable[[], Any], deployed: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    put_telemetry()
    assert failed(scoring()) == ["7d1b0a3e"]
    assert [json.loads(line)["anomaly_score"] for line in objects_under("scores/")] == [1.0, 9.0]
    assert [json.loads(line)["reason"] for line in objects_under("quarantine/")] == ["not_json"]
    (item,) = clients.dynamodb().scan(TableName=ANOMALIES_TABLE)["Items"]
    (envelope,) = received(deployed.queue_url)
    assert envelope["detail"]["anomaly_id"] == item["anomaly_id"]["S"]
    lines = metric_lines(capsys.readouterr().out)
    first, second = (line for line in lines if "workload" in line)
    for line in (first, second):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Watchkeeper"
        assert {name for names in directive["Dimensions"] for name in names} == {"service", "workload"}
        assert (line["service"], line["workload"]) == ("score_telemetry", "pump")
    assert (first["records"], first["quarantined"]) == ([2.0], [1.0])
    assert second["anomalies"] == [1.0]
    assert second["publish_to_score_lag"][0] > LATE_MILLISECONDS
    (of_all,) = (line for line in lines if "workload" not in line)
    assert of_all["publish_to_score_lag"] == second["publish_to_score_lag"]
    assert not {"intervals_scored", "intervals_without_score"} & {*first, *second}
    assert of_all["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


def test_redelivered_batch_changes_nothing(
    scoring: Callable[[], Any], deployed: SimpleNamespace, endpoint: FakeEndpoint
) -> None:
    put_telemetry()
    scoring()
    before = (
        objects_under("scores/") + objects_under("quarantine/"),
        clients.dynamodb().scan(TableName=SERIES_TABLE)["Items"],
    )
    assert failed(scoring()) == ["7d1b0a3e"]
    assert (
        objects_under("scores/") + objects_under("quarantine/"),
        clients.dynamodb().scan(TableName=SERIES_TABLE)["Items"],
    ) == before
    assert len(endpoint.requests) == 1
    assert len(received(deployed.queue_url)) == 1


def test_message_returns_to_the_queue_until_the_endpoint_answers(
    scoring: Callable[[], Any], endpoint: FakeEndpoint
) -> None:
    put_telemetry()
    endpoint.failure = UnavailableError("busy")
    assert failed(scoring()) == ["2e1424d4", "7d1b0a3e"]
    assert objects_under("scores/") == []
    endpoint.failure = None
    assert failed(scoring()) == ["7d1b0a3e"]
    assert len(objects_under("scores/")) == 2


def test_answer_of_an_unknown_model_is_counted_and_its_message_comes_again(
    scoring: Callable[[], Any], endpoint: FakeEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    put_telemetry()
    endpoint.release = make_release(9)
    assert failed(scoring()) == ["2e1424d4", "7d1b0a3e"]
    counted = [line for line in metric_lines(capsys.readouterr().out) if "unidentified_model" in line]
    assert [(line["workload"], line["unidentified_model"]) for line in counted] == [("pump", [1.0])]


def test_failed_message_holds_up_its_workload_only(
    scoring: Callable[[], Any], endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled: list[str] = []

    def refuse_the_first(source: TelemetryObject) -> None:
        handled.append(source.key)
        raise UnavailableError("busy")

    monkeypatch.setattr(score_telemetry, "_score", refuse_the_first)
    assert failed(scoring()) == ["059f36b4", "2e1424d4", "7d1b0a3e"]
    assert [key.rpartition("-")[2] for key in handled] == ["aaaa.gz"]


def test_each_incident_is_published_once_to_the_routes_of_its_severity(
    deployed: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    event = golden_event("incident_opened_batch")
    for _ in range(2):
        answer = publish_alert.handle(event, Context())
        assert failed(answer) == ["66666666"]
    alerts = {alert["MessageAttributes"]["routes"]["Value"]: alert for alert in received(deployed.queue_url)}
    assert set(alerts) == {'["operations", "oncall"]', '["operations"]'}
    severe = alerts['["operations", "oncall"]']
    message = json.loads(severe["Message"])
    assert message["routes"] == ["operations", "oncall"]
    assert AnomalyEvent.from_dict(message["anomaly"]).interval_start == "2024-01-01T00:01:00Z"
    assert message["incident"]["opened_at"] == "2024-01-01T00:01:00Z"
    assert severe["MessageAttributes"]["workload"] == {"Type": "String", "Value": "pump"}
    assert severe["MessageAttributes"]["severity"] == {"Type": "Number", "Value": "93.9"}
    measure, _, dimensions = message["incident"]["touched"][0]["series"].partition("|")
    assert measure in json.loads(severe["MessageAttributes"]["measure"]["Value"])
    for name, _, value in (part.partition("=") for part in filter(None, dimensions.split("|"))):
        assert value in json.loads(severe["MessageAttributes"][f"dimension_{name}"]["Value"])
    counted = metric_lines(capsys.readouterr().out)
    published = [line["alerts_published"][0] for line in counted if "alerts_published" in line]
    assert published == [2.0, 1.0]


def test_alert_is_published_again_only_if_publishing_failed(
    deployed: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = golden_event("incident_opened_batch")["Records"][0]
    event = {"Records": [record]}
    topic = publish_alert.effects().topic

    def refuse(alert: object) -> None:
        raise UnavailableError("topic is busy")

    monkeypatch.setattr(type(topic), "publish", lambda self, alert: refuse(alert))
    assert failed(publish_alert.handle(event, Context())) == ["11111111"]
    monkeypatch.undo()
    for name, value in (
        PublishAlertEnvironment(
            alert_topic_arn=deployed.topic_arn,
            idempotency_table=IDEMPOTENCY_TABLE,
            incidents_table=INCIDENTS_TABLE,
            dashboard_url="https://example.com",
            link_key="arn:aws:secretsmanager:us-east-1:123456789012:secret:links",
        )
        .variables()
        .items()
    ):
        monkeypatch.setenv(name, value)
    for _ in range(2):
        assert failed(publish_alert.handle(event, Context())) == []
    assert len(received(deployed.queue_url)) == 1


def test_anomalies_of_a_batch_are_one_incident_that_is_told_once(
    deployed: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    event = golden_event("anomaly_detected_batch")
    for _ in range(2):
        assert failed(group_anomalies.handle(event, Context())) == ["66666666"]
    told = received(deployed.queue_url)
    assert sorted(each["detail-type"] for each in told) == ["Incident Changed", "Incident Opened"]
    [envelope] = [each for each in told if each["detail-type"] == "Incident Opened"]
    incident = Incident.from_dict(envelope["detail"]["incident"])
    assert [(part.series, part.intervals) for part in incident.touched] == [
        ("pressure|device=a", 2),
        ("pressure|device=b", 1),
        ("pressure|device=c", 1),
    ]
    assert group_anomalies.effects().incidents.find(incident.incident_id) == incident
    [line] = [line for line in metric_lines(capsys.readouterr().out) if "incidents_opened" in line]
    assert (line["workload"], line["incidents_opened"]) == ("pump", [1.0])


def test_the_schedule_closes_what_is_quiet(deployed: SimpleNamespace) -> None:
    event = golden_event("anomaly_detected_batch")
    group_anomalies.handle(event, Context())
    received(deployed.queue_url)
    for time, kinds in (
        ("2024-01-01T00:02:00Z", []),
        ("2024-01-01T02:00:00Z", ["Incident Changed", "Incident Closed"]),
    ):
        event["Records"] = event["Records"][:1]
        event["Records"][0]["body"] = json.dumps({"detail-type": "Scheduled Event", "time": time})
        assert failed(group_anomalies.handle(event, Context())) == []
        assert sorted(each["detail-type"] for each in received(deployed.queue_url)) == kinds


def test_messages_of_a_workload_that_cannot_be_written_come_again_and_others_do_not(
    deployed: SimpleNamespace,
) -> None:
    event = golden_event("anomaly_detected_batch")
    body = json.loads(event["Records"][1]["body"])
    body["detail"]["workload"] = "gone"
    event["Records"][1]["body"] = json.dumps(body)
    body["detail"]["series"] = "pressure|device"
    event["Records"][2]["body"] = json.dumps(body)
    assert failed(group_anomalies.handle(event, Context())) == ["22222222", "33333333", "66666666"]
    told = [each["detail-type"] for each in received(deployed.queue_url)]
    assert sorted(told) == ["Incident Changed", "Incident Opened"]
