"""The guide of the first deployment is true, and what it does is right.

Each command does on an empty laptop what the page says: history, training, a release, a device over MQTT,
scores, an anomaly, an alert. Each permission of the roles in between would be missed.
"""

import csv
import importlib.util
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3
import pytest

from lambdas.adapters.incident_store import TableIncidents
from localcloud.authorization.mutation import mutants
from tests.aws.guide import Walk
from tests.aws.test_first_deployment import GUIDE, WORKLOAD, left_in, until_the_alert
from tests.local.inbox import alerts_of, outcomes_of
from tests.local.laptop import Laptop
from tests.local.scored import until_drained, until_scored
from tests.local.training import ended
from watchkeeper.core.timestamps import format_instant

pytestmark = pytest.mark.local

SERIES = "flow"
HOUR = timedelta(hours=1)
LIVE_FROM = datetime(2022, 4, 20, tzinfo=timezone.utc)
LOSS = (SERIES, "2022-04-27T16:00:00Z")
"""In the middle of the series' third loss: 24 l/s in place of 100."""
ROLES = (
    "WatchkeeperAlerting-PublishAlertRole",
    "WatchkeeperScoring-ScoreTelemetryRole",
    "WatchkeeperIngestion-TelemetryRole",
    "WatchkeeperIngestion-TopicRules",
    "Watchkeeper-water-flow-JobsRole",
    "Watchkeeper-water-flow-ModelsRole",
    "Watchkeeper-water-flow-WorkflowRole",
)
# Permissions of theirs that this journey does not come to use, and what does.
USED_ELSEWHERE = {
    (
        "WatchkeeperIngestion-TelemetryRole",
        "s3:GetBucketLocation, s3:ListBucket, s3:ListBucketMultipartUploads",
    ): "Firehose documents that it needs it",
    ("WatchkeeperIngestion-TelemetryRole", "logs:PutLogEvents"): "a delivery that fails",
    ("WatchkeeperIngestion-TopicRules", "s3:PutObject"): "a message that the stream does not take",
    (
        "WatchkeeperIngestion-TopicRules",
        "kms:Decrypt, kms:GenerateDataKey",
    ): "a message that the stream does not take",
    ("WatchkeeperScoring-ScoreTelemetryRole", "s3:ListBucket"): "an object that is missing",
    (
        "WatchkeeperScoring-ScoreTelemetryRole",
        "xray:GetSamplingRules, xray:GetSamplingTargets, xray:PutTelemetryRecords, xray:PutTraceSegments",
    ): "a caller whose request is sampled",
    (
        "WatchkeeperAlerting-PublishAlertRole",
        "dynamodb:GetItem, dynamodb:Query",
    ): "a notice that leaves series out",
    ("WatchkeeperAlerting-PublishAlertRole", "dynamodb:PutItem"): "a route that escalates",
    ("WatchkeeperAlerting-PublishAlertRole", "dynamodb:Query"): "a route that escalates",
    ("WatchkeeperAlerting-PublishAlertRole", "secretsmanager:GetSecretValue"): "alerts with links",
    ("Watchkeeper-water-flow-ModelsRole", "cloudwatch:DescribeAlarms"): "a deployment after the first",
    ("Watchkeeper-water-flow-WorkflowRole", "cloudwatch:DescribeAlarms"): "a deployment after the first",
}


@pytest.fixture
def empty_laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laptop]:
    laptop = Laptop(tmp_path / "home")
    settings = laptop.cloud.settings
    told = {
        "WATCHKEEPER_STAGE": "laptop",
        "WATCHKEEPER_MQTT_HOST": settings.host,
        "WATCHKEEPER_MQTT_PORT": str(settings.mqtt_tls_port),
        "WATCHKEEPER_MQTT_CA": f"{settings.endpoint_url}/_ministack/iot/ca.pem",
    }
    for name, value in {**laptop.variables, **told}.items():
        monkeypatch.setenv(name, value)
    try:
        laptop.cloud.start()
        yield laptop
        assert laptop.denied() == []
    finally:
        laptop.cloud.stop()


def readings() -> list[dict[str, str]]:
    """Return river's water-flow series."""
    package = importlib.util.find_spec("river")
    assert package is not None
    assert package.origin is not None
    with Path(package.origin).with_name("datasets").joinpath("water-flow.csv").open() as file:
        return list(csv.DictReader(file))


def start_of(reading: dict[str, str]) -> datetime:
    return datetime.fromisoformat(reading["Time"]).astimezone(timezone.utc)


def test_the_guide_of_the_first_deployment_raises_an_alert_and_leaves_nothing(
    empty_laptop: Laptop, tmp_path: Path
) -> None:
    laptop, session = empty_laptop, boto3.Session()
    walk = Walk(GUIDE, tmp_path / "record.json")
    look, deploy, train, ask, alerted, back = walk.ahead()
    for step in (look, deploy):
        walk.take(step)

    with outcomes_of(laptop, WORKLOAD) as news, alerts_of(laptop, WORKLOAD) as alerts:
        trained = ended(laptop, *re.findall(r"execution: (\S+)", walk.take(train)))
        walk.take(ask)
        until_the_alert(walk, alerted, session)
        live = [start_of(row) for row in readings() if start_of(row) >= LIVE_FROM]
        # an interval closes when a reading comes that is an hour of lateness after its end
        expected = {(SERIES, format_instant(start)) for start in live if start + 2 * HOUR <= live[-1]}
        scores = until_scored(laptop, WORKLOAD, expected)
        told_of_training, alert = news.first(), alerts.first()
        until_drained(laptop)

    assert (trained.status, trained.cause) == ("SUCCEEDED", "")
    release = laptop.live(WORKLOAD)
    assert release is not None
    assert release.run_id == trained.output["run"]["run_id"]
    assert f"serves on endpoint {release.endpoint}" in told_of_training["Message"]

    assert scores.keys() == expected
    assert {line.run_id for line in scores.values()} == {release.run_id}
    for line in scores.values():
        assert line.anomaly_score is not None
        assert line.is_anomaly == (line.anomaly_score > release.threshold.value)
    assert scores[LOSS].is_anomaly

    events = [json.loads(item["document"]) for item in laptop.items("Anomalies", WORKLOAD)]
    anomalous = [start for (_, start), line in sorted(scores.items()) if line.is_anomaly]
    assert [event["interval_start"] for event in events] == anomalous

    payload = json.loads(alert["Message"])
    assert payload["routes"] == ["operators"]
    incident = payload["incident"]
    assert alert["Subject"].startswith(f"[{WORKLOAD}] incident: {incident['title'][:30]}")
    told = payload["anomaly"]
    assert told in events
    assert told["severity"] >= 70
    assert told["score"] > told["threshold"] == release.threshold.value

    kept = TableIncidents(laptop.client("dynamodb"), laptop.outputs["IncidentsTableName"])
    found = kept.between(WORKLOAD, int(live[0].timestamp()), int(live[-1].timestamp()))
    starts = [start for each in found for part in each.touched for start in part.starts(3600, 0, 1 << 40)]
    assert [format_instant(start) for start in sorted(starts)] == anomalous
    assert incident["incident_id"] in {one for each in found for one in (each.incident_id, *each.former_ids)}

    assert not_missed_of(laptop) == []
    walk.take(back)
    assert len(walk.done()) == 6
    assert left_in(session) == []


def not_missed_of(laptop: Laptop) -> list[str]:
    """Return the permissions that nobody would miss, of roles that are all there."""
    whole = {
        mutant: next((name for name in ROLES if mutant.owner.startswith(name)), "")
        for mutant in mutants(laptop.journal(), laptop.cloud.settings.region)
        if mutant.action is None
    }
    assert set(whole.values()) >= set(ROLES)
    return [
        f"{mutant}: {', '.join(mutant.actions)}"
        for mutant, role in whole.items()
        if role and not mutant.caught
        if (role, ", ".join(mutant.actions)) not in USED_ELSEWHERE
    ]
