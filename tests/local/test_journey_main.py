"""The main journey: history, training, a release, a device over MQTT, scores, an anomaly, an alert."""

import csv
import importlib.util
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from lambdas.adapters.incident_store import TableIncidents
from localcloud.authorization.mutation import mutants
from tests.local.device import connected, publish
from tests.local.histories import History
from tests.local.inbox import alerts_of, outcomes_of
from tests.local.laptop import Laptop
from tests.local.scored import until_drained, until_scored
from tests.local.training import train, upload
from watchkeeper.core.timestamps import format_instant

pytestmark = pytest.mark.local

WORKLOAD, TOPIC, SERIES = "water_flow", "water/branch/flow", "flow"
VALUE = "Water flow [l/s]"
HOUR = timedelta(hours=1)
LIVE_FROM, LIVE_UNTIL = (datetime(2022, 4, day, tzinfo=timezone.utc) for day in (20, 30))
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


def readings() -> list[dict[str, str]]:
    """Return river's water-flow series."""
    package = importlib.util.find_spec("river")
    assert package is not None
    assert package.origin is not None
    with Path(package.origin).with_name("datasets").joinpath("water-flow.csv").open() as file:
        return list(csv.DictReader(file))


def start_of(reading: dict[str, str]) -> datetime:
    return datetime.fromisoformat(reading["Time"]).astimezone(timezone.utc)


def test_device_raises_an_alert_of_a_trained_model(laptop: Laptop, tmp_path: Path) -> None:
    past = [row for row in readings() if start_of(row) < LIVE_FROM]
    live = [row for row in readings() if LIVE_FROM <= start_of(row) < LIVE_UNTIL]
    messages = [json.dumps({**row, VALUE: float(row[VALUE])}).encode() for row in live]
    # an interval closes when a reading comes that is an hour of lateness after its end
    newest = start_of(live[-1])
    expected = {(SERIES, format_instant(start_of(row))) for row in live if start_of(row) + 2 * HOUR <= newest}
    upload(laptop, WORKLOAD, History(f"Time,{VALUE}", [",".join(row.values()) for row in past]))

    with (
        outcomes_of(laptop, WORKLOAD) as news,
        alerts_of(laptop, WORKLOAD) as alerts,
        connected(laptop, TOPIC, tmp_path) as device,
    ):
        trained = train(laptop, WORKLOAD)
        assert (trained.status, trained.cause) == ("SUCCEEDED", "")
        release = laptop.live(WORKLOAD)
        assert release is not None
        assert release.run_id == trained.output["run"]["run_id"]
        assert f"serves on endpoint {release.endpoint}" in news.first()["Message"]

        publish(device, TOPIC, messages)
        scores = until_scored(laptop, WORKLOAD, expected)
        alert = alerts.first()
        until_drained(laptop)

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
    found = kept.between(WORKLOAD, int(LIVE_FROM.timestamp()), int(LIVE_UNTIL.timestamp()))
    starts = [start for each in found for part in each.touched for start in part.starts(3600, 0, 1 << 40)]
    assert [format_instant(start) for start in sorted(starts)] == anomalous
    assert incident["incident_id"] in {one for each in found for one in (each.incident_id, *each.former_ids)}


def test_each_permission_of_the_journeys_roles_would_be_missed(laptop: Laptop) -> None:
    whole = {
        mutant: next((name for name in ROLES if mutant.owner.startswith(name)), "")
        for mutant in mutants(laptop.journal(), laptop.cloud.settings.region)
        if mutant.action is None
    }
    not_missed = [
        f"{mutant}: {', '.join(mutant.actions)}"
        for mutant, role in whole.items()
        if role and not mutant.caught
        if (role, ", ".join(mutant.actions)) not in USED_ELSEWHERE
    ]

    assert not_missed == []
    assert set(whole.values()) >= set(ROLES)
