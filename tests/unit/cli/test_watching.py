"""The verbs that tell what goes on, on an AWS with a workload in another zone, its scores and anomalies."""

from __future__ import annotations

import csv
import dataclasses
import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.watched import Watched
from lambdas.adapters.incident_store import BY_ID, TableIncidents
from lambdas.alerting.sample import sample_of
from lambdas.console.status import status_of
from lambdas.scoring.effects import AnomalyTable
from tests.unit.lambdas.builders import make_release
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import IntervalCounts, QualityEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core import layout
from watchkeeper.core.plan import (
    AlertPlan,
    AlertRoute,
    CalendarPlan,
    MeasurePlan,
    MutePlan,
    SeriesSelection,
    TimestampPlan,
    WorkloadPlan,
)
from watchkeeper.core.timestamps import format_instant
from watchkeeper.features.contributions import Contribution, Explanation
from watchkeeper.incidents.grouping import grown_by, rule_of
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.progress import after_anomalies
from watchkeeper.lifecycle.release import LIVE, release_pk
from watchkeeper.stream.page import NEVER, new_page, with_series
from watchkeeper.stream.page_format import to_bytes
from watchkeeper.stream.step import packed

BEGIN = datetime(2026, 11, 28, 22, tzinfo=timezone.utc)
STEP = timedelta(minutes=5)
COUNT, PEAKS = 48, (20, 21, 40)
TODAY = datetime(2026, 11, 30, 9, tzinfo=timezone.utc)
PLAN = WorkloadPlan(
    workload="press",
    timestamp=TimestampPlan("time", timezone="Europe/Berlin"),
    measures=(MeasurePlan("temperature", "t"), MeasurePlan("speed", "v")),
    interval_seconds=300,
    dimensions=("machine",),
    alerts=AlertPlan((AlertRoute("operators"), AlertRoute("on_call", 90.0)), throttle_seconds=3600),
)
HOT, SLOW = "temperature|machine=B-101", "speed|machine=B-101"
OUTPUTS = {
    "DataBucketName": "AWS::S3::Bucket",
    "PageBucketName": "AWS::S3::Bucket",
    "SeriesTableName": "AWS::DynamoDB::Table",
    "AnomaliesTableName": "AWS::DynamoDB::Table",
    "IncidentsTableName": "AWS::DynamoDB::Table",
}
BY_ID_INDEX = {
    "IndexName": BY_ID,
    "KeySchema": [{"AttributeName": "incident_id", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}


def event(series: str, at: int, severity: float) -> AnomalyEvent:
    start = format_instant(BEGIN + at * STEP)
    parts = (Contribution("range", "temperature", 0, 0.6), Contribution("pattern", "temperature", 1, 0.2))
    return AnomalyEvent(
        "press", series, start, 300, 93.0, 71.0, 66.0, 76.0, 0.8, 0.4, severity, "run", "arn:run",
        "arn:package", parts, Explanation("detector"),
    )  # fmt: skip


EVENTS = [event(HOT, 20, 85.0), event(HOT, 21, 95.0), event(SLOW, 40, 72.0)]


COUNTS = [
    IntervalCounts(
        format_instant(BEGIN + at * STEP),
        *(1, 5, at, 1),
        refused={"not_a_number": 2},
        devices=3,
        values={"speed": 3, "temperature": 1},
        missing={"temperature": 1},
        scored=4,
        lag_of=2,
        lag_total=90_000,
    )
    for at in range(2)
]
LATE = QualityEvent(
    *("press", "late", None, True, COUNTS[1].interval_start, 300, COUNTS[1].interval_start),
    *(0.5, 40, 0.02, 90.0),
)


def lines(series: str) -> list[ScoreLine]:
    found = {(each.series, each.interval_start): each for each in EVENTS}
    result = []
    for at in range(COUNT):
        start = format_instant(BEGIN + at * STEP)
        anomaly = found.get((series, start))
        value = 71.0 + at % 3 if anomaly is None else 93.0
        result.append(
            ScoreLine(
                "press", series, start, value, 71.0, 66.0, 76.0, 0.1 if anomaly is None else 0.8,
                threshold=0.4, severity=20.0 if anomaly is None else anomaly.severity,
                is_anomaly=anomaly is not None, run_id="run", anomaly=anomaly,
            )
        )  # fmt: skip
    return result


def stack(session: boto3.Session, name: str, resources: dict[str, Any], outputs: dict[str, Any]) -> None:
    template = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    session.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def set_plan(session: boto3.Session, plan: WorkloadPlan) -> None:
    session.client("ssm").put_parameter(
        Name=layout.plan_parameter("press"), Value=plan.to_json(), Type="String", Overwrite=True
    )


def table_resource() -> dict[str, Any]:
    names = ("pk", "sk")
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in (*names, "incident_id")
            ],
            "GlobalSecondaryIndexes": [BY_ID_INDEX],
            "KeySchema": [
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(names, ("HASH", "RANGE"), strict=True)
            ],
        },
    }


@pytest.fixture
def deployed(session: boto3.Session) -> Watched:
    resources = {
        name: {"Type": kind} if kind.endswith("Bucket") else table_resource()
        for name, kind in OUTPUTS.items()
    }
    stack(session, "WatchkeeperStorage", resources, {name: {"Ref": name} for name in OUTPUTS})
    stack(
        session,
        "WatchkeeperAlerting",
        {"Topic": {"Type": "AWS::SNS::Topic"}, "Undelivered": {"Type": "AWS::SQS::Queue"}},
        {"AlertTopicArn": {"Ref": "Topic"}, "UndeliveredAlertsArn": {"Fn::GetAtt": ["Undelivered", "Arn"]}},
    )
    set_plan(session, PLAN)
    watched = Watched(session)
    s3, names = session.client("s3"), watched._storage
    said = [line for series in (SLOW, HOT) for line in lines(series)]
    key = layout.scores_key("press", "2026-11-29T02", "object", "")
    s3.put_object(Bucket=names["DataBucketName"], Key=key, Body=packed(said, COUNTS, [LATE]))
    page = with_series(new_page("press", "", 300), [HOT, SLOW, "speed|machine=B-102"])
    end = int((BEGIN + COUNT * STEP).timestamp())
    newest = page.newest.copy()
    for name, start, value in (
        (HOT, end - 300, 72.0),
        (SLOW, end - 300, 71.0),
        ("speed|machine=B-102", end - 9000, 3.0),
    ):
        newest[page.series.index(name)] = (start, value, 0)
    page = dataclasses.replace(page, closed_until=np.full(3, end), newest=newest)
    s3.put_object(Bucket=names["PageBucketName"], Key=layout.page_key("press", ""), Body=to_bytes(page))
    AnomalyTable(session.client("dynamodb"), names["AnomaliesTableName"]).put(EVENTS)
    store = TableIncidents(session.client("dynamodb"), names["IncidentsTableName"])
    known: tuple[Incident, ...] = ()
    for each in EVENTS:
        grown = grown_by(known, [each], rule_of(PLAN))
        change = after_anomalies(grown, watermark=each.at + 300, closes_after=86_400, levels={90.0})
        known = (*[one for one in known if one not in change.incidents], *change.incidents)[-1:]
        book = store.book("press")
        assert store.commit("press", book, book, change)
    release = make_release(workload="press")
    session.client("dynamodb").put_item(
        TableName=names["SeriesTableName"],
        Item={"pk": {"S": release_pk("press")}, "sk": {"S": LIVE}, "document": {"S": release.to_json()}},
    )
    return watched


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_anomalies_are_listed_the_newest_first_in_the_zone_of_the_source(deployed: Watched) -> None:
    result = run("anomalies")

    assert result.exit_code == 0, result.output
    listed = [line for line in result.stdout.splitlines() if "machine=" in line]
    assert [line.split()[0] for line in listed] == [each.anomaly_id[:8] for each in reversed(EVENTS)]
    assert "2026-11-29 02:20 CET (01:20 UTC)" in listed[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--measure", "speed"], [2]),
        (["--series", "B-101"], [2, 1, 0]),
        (["--dimension", "machine=B-102"], []),
        (["--severity-at-least", "90"], [1]),
        (["--from", "2026-11-29 00:45"], [2, 1]),  # 23:45 UTC: the zone is the source's
        (["--from", "2026-11-29T00:45:00Z"], [2]),
        (["--to", "2026-11-29 00:45"], [0]),
        (["--limit", "1"], [2]),
    ],
)
def test_anomalies_are_filtered(deployed: Watched, options: list[str], expected: list[int]) -> None:
    found = rows(run("anomalies", "press", "--json", *options))

    assert [each["anomaly_id"] for each in found] == [EVENTS[at].anomaly_id for at in expected]


def test_why_says_value_band_and_what_each_part_of_the_score_is(deployed: Watched) -> None:
    result = run("why", EVENTS[1].anomaly_id[:8])

    assert result.exit_code == 0, result.output
    for words in (
        "2026-11-29 00:45 to 00:50 CET (2026-11-28 23:45 to 23:50 UTC)",
        "Observed:  93",
        "usual: 66 to 76",
        "75%  temperature outside its range now",
        "how far the value is outside of all values before",
        "25%  pattern of temperature 5 minutes earlier",
    ):
        assert words in result.stdout, result.stdout
    assert result.stdout.count("●") == 2  # its neighbour is an anomaly, too


def test_why_tells_an_incident_by_the_anomaly_that_opened_it(deployed: Watched) -> None:
    opened = deployed.incidents("press", BEGIN, BEGIN + COUNT * STEP)[0]

    result = run("why", opened.incident_id)

    assert result.exit_code == 0, result.output
    assert f"Anomaly:   {EVENTS[0].anomaly_id}" in result.stdout


def test_why_draws_a_png(deployed: Watched, tmp_path: Path) -> None:
    result = run("why", EVENTS[1].anomaly_id, "--output", str(tmp_path / "why.png"))

    assert result.exit_code == 0, result.output
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
    assert rows(run("why", EVENTS[1].anomaly_id, "--json"))[0]["severity"] == 95.0


def test_an_id_that_nothing_or_more_than_one_has_is_refused(deployed: Watched) -> None:
    nothing, several = run("why", "feedfeed"), run("why", "")

    assert (nothing.exit_code, several.exit_code) == (2, 2)
    assert "`watchkeeper anomalies` lists them" in nothing.stderr
    assert all(each.anomaly_id in several.stderr for each in EVENTS)


def test_plot_shows_the_day_up_to_the_last_interval_of_the_series_that_is_meant(deployed: Watched) -> None:
    result = run("plot", "press", "temperature")

    assert result.exit_code == 0, result.output
    assert result.stdout.count("●") == 2
    assert "2026-11-28 23:00 to 2026-11-29 03:00 CET (22:00 to 2026-11-29 02:00 UTC)" in result.stdout
    assert len(rows(run("plot", "press", HOT, "--json", "--from", "2026-11-29 02:00"))) == 12


@pytest.mark.parametrize(
    ("series", "said"), [("B-101", "2 series have it in their key"), ("x", "there is no such series")]
)
def test_a_series_that_is_not_known_or_not_one_is_refused(deployed: Watched, series: str, said: str) -> None:
    result = run("plot", "press", series)

    assert result.exit_code == 2
    assert said in result.stderr
    assert HOT in result.stderr


def test_export_has_every_interval_for_pandas(deployed: Watched, tmp_path: Path) -> None:
    import pandas as pd

    output = tmp_path / "scores.parquet"
    result = run("export", "press", "--output", str(output))

    assert result.exit_code == 0, result.output
    frame = pd.read_parquet(output)
    assert len(frame) == 2 * COUNT
    assert int(frame.is_anomaly.sum()) == len(EVENTS)
    assert str(frame.interval_start.dt.tz) == "UTC"


def test_export_of_a_time_and_a_series_as_csv(deployed: Watched, tmp_path: Path) -> None:
    output = tmp_path / "scores.csv"
    result = run("export", "press", "--output", str(output), "--series", "temp", "--from", "2026-11-29 02:00")

    assert result.exit_code == 0, result.output
    with output.open() as file:
        found = list(csv.DictReader(file))
    assert {row["series"] for row in found} == {HOT}
    assert next(row["interval_start"] for row in found).startswith("2026-11-29 01:00:00")
    assert len(found) == 12


def test_export_of_nothing_writes_no_file_and_keeps_the_one_before(deployed: Watched, tmp_path: Path) -> None:
    output = tmp_path / "scores.csv"
    output.write_text("before")

    nothing = run("export", "press", "--output", str(output), "--from", "2027-01-01")
    unknown = run("export", "press", "--output", str(tmp_path / "scores.xlsx"))

    assert (nothing.exit_code, unknown.exit_code) == (2, 2)
    assert output.read_text() == "before"
    assert list(tmp_path.iterdir()) == [output]


def test_status_counts_series_alerts_and_alarms(deployed: Watched) -> None:
    found = status_of(deployed, PLAN, ["Watchkeeper-press-Anomalies"], TODAY)

    assert found.last_interval_end == "2026-11-29T02:00:00Z"
    assert [(each.series, each.health) for each in found.series] == [
        ("speed|machine=B-102", "behind"),
        (SLOW, "usual"),
        (HOT, "usual"),
    ]
    # that the heat began, that it got worse, and the speed
    assert (found.anomalies_of_week, found.alerts_of_week) == (3, 3)
    assert found.run_id == make_release().run_id


def test_a_calendar_that_runs_out_is_to_be_looked_at(deployed: Watched) -> None:
    known_through = (date(2026, 12, 31) - date(1970, 1, 1)).days
    closed = CalendarPlan("closed", "UTC", known_through=known_through)
    plan = dataclasses.replace(PLAN, calendars=(closed,))

    [told] = [why for why in status_of(deployed, plan, [], TODAY).why if "calendar" in why]

    assert "'closed' knows its dates through 2026-12-31 only" in told
    assert not any("calendar" in why for why in status_of(deployed, plan, [], datetime(2026, 10, 1)).why)


def test_status_is_read_by_people_and_programs(deployed: Watched) -> None:
    shown, (document,) = run("status"), rows(run("status", "press", "--json"))

    assert "3 alerts (the gate allows 7 for all series together)" in shown.stdout
    assert "ended 2026-11-29 03:00 CET (02:00 UTC)" in shown.stdout
    assert document["workloads"][0]["alerts_of_week"] == 3
    assert document["alarms"] == []
    assert run("status", "nothing").exit_code == 2


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ((), 0),
        ((AlertRoute("on_call", 90.0),), 1),  # when it got worse
        ((AlertRoute("operators"), AlertRoute("on_call", 90.0)), 3),  # each once, whatever its channels
        ((AlertRoute("night", 70.0, ("end",)),), 0),
    ],
)
def test_alerts_of_the_week_are_those_that_routes_take(
    deployed: Watched, routes: tuple[AlertRoute, ...], expected: int
) -> None:
    plan = dataclasses.replace(PLAN, alerts=AlertPlan(routes, throttle_seconds=3600))

    assert status_of(deployed, plan, [], TODAY).alerts_of_week == expected


def test_a_muted_series_is_marked(deployed: Watched) -> None:
    until = int(datetime(2027, 1, 1, tzinfo=timezone.utc).timestamp())
    mute = MutePlan(SeriesSelection(measure="temperature"), until)
    muted = dataclasses.replace(PLAN, alerts=dataclasses.replace(PLAN.alerts, mutes=(mute,)))

    found = status_of(deployed, muted, [], TODAY)

    assert {each.series for each in found.series if each.muted} == {HOT}


def test_a_workload_that_heard_nothing_has_no_interval(deployed: Watched) -> None:
    page = with_series(new_page("press", "", 300), [HOT])
    assert page.closed_until.max() == NEVER
    deployed.session.client("s3").put_object(
        Bucket=deployed._storage["PageBucketName"], Key=layout.page_key("press", ""), Body=to_bytes(page)
    )

    assert status_of(deployed, PLAN, [], TODAY).last_interval_end is None
    assert "has closed yet" in run("plot", "press", HOT).stderr


def queue(session: boto3.Session, name: str) -> tuple[str, str]:
    client = session.client("sqs")
    url = client.create_queue(QueueName=name)["QueueUrl"]
    return url, client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]


def test_a_queue_is_subscribed_once_may_be_written_and_is_removed(deployed: Watched) -> None:
    url, arn = queue(deployed.session, "mine")
    sqs = deployed.session.client("sqs")
    other = {
        "Sid": "Other", "Effect": "Allow", "Principal": {"AWS": "123456789012"},
        "Action": "sqs:ReceiveMessage", "Resource": arn,
    }  # fmt: skip
    policy = {"Version": "2012-10-17", "Statement": [other]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})

    for _ in range(2):
        done = run("subscribe", "press", "sqs", arn, "--channel", "operators", "--severity-at-least", "80")
        assert done.exit_code == 0, done.output

    (listed,) = rows(run("subscribe", "press", "--json"))
    assert (listed["channels"], listed["severity_at_least"]) == (["operators"], 80)
    said = json.loads(
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    )
    assert [each["Sid"] for each in said["Statement"]] == ["Other", "WatchkeeperAlerts"]
    assert "ArnEquals" in said["Statement"][1]["Condition"]

    assert run("subscribe", "press", "sqs", arn, "--remove").exit_code == 0
    assert rows(run("subscribe", "press", "--json")) == []
    assert run("subscribe", "press", "sqs", arn, "--remove").exit_code == 2


def test_an_endpoint_has_one_subscription_for_all_its_workloads(deployed: Watched) -> None:
    _, arn = queue(deployed.session, "mine")
    pump = dataclasses.replace(PLAN, workload="pump", alerts=AlertPlan((AlertRoute("pumps"),)))
    deployed.session.client("ssm").put_parameter(
        Name=layout.plan_parameter("pump"), Value=pump.to_json(), Type="String"
    )

    for arguments in (["press", "--channel", "on_call"], ["pump"], ["press", "--channel", "operators"]):
        assert run("subscribe", arguments[0], "sqs", arn, *arguments[1:]).exit_code == 0
    refused = run("subscribe", "press", "sqs", arn, "--severity-at-least", "90")

    assert "another --severity-at-least" in refused.stderr
    for workload in ("press", "pump"):
        (listed,) = rows(run("subscribe", workload, "--json"))
        assert listed["channels"] == ["on_call", "operators", "pumps"]
    assert run("subscribe", "press", "sqs", arn, "--remove").exit_code == 0
    assert rows(run("subscribe", "press", "--json")) == []
    assert len(rows(run("subscribe", "pump", "--json"))) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["email", "nobody"], "must be an e-mail address"),
        (["https", "http://plain"], "begins with https://"),
        (["lambda", "mine"], "must be the ARN of a Lambda function"),
        (["sqs", "arn:aws:sqs:us-east-1:123456789012:none"], "there is no such queue"),
        (["email", "a@b.c", "--channel", "none"], "has on_call, operators"),
        (["email"], "Name the endpoint too"),
    ],
)
def test_a_subscription_that_would_tell_nobody_is_refused(
    deployed: Watched, arguments: list[str], said: str
) -> None:
    result = run("subscribe", "press", *arguments)

    assert result.exit_code == 2
    assert said in result.stderr
    assert rows(run("subscribe", "press", "--json")) == []


def test_a_workload_without_routes_says_that_no_alert_is_ever_sent(deployed: Watched) -> None:
    set_plan(deployed.session, dataclasses.replace(PLAN, alerts=AlertPlan()))

    assert "has no routes" in run("subscribe", "press", "email", "a@b.c").stderr
    assert "so nobody is told" in run("alerts", "preview", "press").stderr


def test_an_alert_is_seen_before_it_is_sent(deployed: Watched) -> None:
    shown = run("alerts", "preview", "press", "--anomaly", EVENTS[0].anomaly_id)

    assert shown.exit_code == 0, shown.output
    assert "subject: [press] incident: temperature high at B-101 since 00:40, severity 85" in shown.stdout
    assert "00:40 to 00:45 CET" in shown.stdout
    assert "channel operators, from severity 70: gets this alert" in shown.stdout
    assert "channel on_call, from severity 90: does not get" in shown.stdout
    (document,) = rows(run("alerts", "preview", "press", "--json"))
    assert document["anomaly"]["anomaly_id"] == EVENTS[2].anomaly_id  # the newest


@pytest.mark.parametrize(
    "arguments",
    [
        ("anomalies", "press"),
        ("why", EVENTS[1].anomaly_id),
        ("alerts", "preview", "press"),
    ],
)
def test_where_a_severity_is_shown_its_limit_is(deployed: Watched, arguments: tuple[str, ...]) -> None:
    assert "(limit 70)" in run(*arguments).stdout


def test_threshold_means_one_thing_in_an_alert(deployed: Watched) -> None:
    text = run("alerts", "preview", "press").stdout.partition("for programs")[0]

    assert text.count("threshold") == 1
    assert "Score:     0.8, threshold 0.4" in text
    assert "Severity:  72 of 100 (limit 70)" in text


def test_a_sample_is_an_anomaly_of_the_workload() -> None:
    sample = sample_of(PLAN, BEGIN + timedelta(seconds=77))

    assert sample.series == "temperature|machine=example"
    assert sample.interval_start == format_instant(BEGIN - STEP)
    assert AnomalyEvent.from_json(sample.to_json()) == sample


def test_the_log_has_a_line_an_interval_and_what_was_unusual(deployed: Watched) -> None:
    span = ("--from", format_instant(BEGIN), "--to", format_instant(BEGIN + STEP * COUNT))
    *intervals, found = rows(run("log", "press", *span, "--json"))
    assert [(one["rows"], one["late"]) for one in intervals] == [(8, 0), (9, 1)]
    assert intervals[0]["completeness"] == {"speed": 1.0, "temperature": 0.5}
    assert found["quality_event"]["signal"] == "late"
    shown = run("log", "press", *span).stdout
    assert "2 not_a_number" in shown
    assert "temperature 50%" in shown
    assert "45 s" in shown
    assert "late: 50% of 40 rows came after their interval had closed; usual is 2% at most" in shown
    nothing = run("log", "press", "--to", "2020-01-01")
    assert "nothing came of press" in nothing.stderr


def test_a_pause_is_told_by_status_and_ends_when_it_is_resumed(deployed: Watched) -> None:
    for _ in range(2):
        said = run("pause", "press", "--series", "temperature", "--note", "new sensor", "--by", "ada").stdout
        assert f"press: {HOT} paused since" in said
        assert "by ada: new sensor" in said
    now = datetime.now(timezone.utc)
    found = status_of(deployed, PLAN, [], now)
    assert {each.series for each in found.series if each.muted} == {HOT}
    assert "new sensor" in found.why[0]
    assert "new sensor" in run("status", "press").stdout
    assert run("pause", "press", "--until", "2020-01-01").exit_code == 2
    id_of_hot = event(HOT, 20, 85.0).anomaly_id
    assert (
        "is muted or paused, so nobody is told"
        in run("alerts", "preview", "press", "--anomaly", id_of_hot).stderr
    )
    assert run("resume", "press", "--by", "ada").stdout == "press: nothing is paused\n"
    later = now + timedelta(minutes=1)
    assert not any(each.muted for each in status_of(deployed, PLAN, [], later).series)
