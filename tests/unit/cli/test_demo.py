"""The demo's parts: what it waits for, what it measures, what it shows."""

from __future__ import annotations

import dataclasses
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner

from cli.datasets import DATASETS
from cli.demo.chart import draw
from cli.demo.command import invocations, live_metrics
from cli.demo.inbox import alert_in, subscribed
from cli.demo.live_data import prepared
from cli.demo.report import Report, summary
from cli.demo.scores import (
    ScoreReader,
    expected_intervals,
    mean_shares,
    reason_of,
    strongest,
    wait_until_scored,
)
from cli.failures import StepFailedError
from cli.main import app
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import scores_key
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_microseconds, format_instant, parse_instant
from watchkeeper.features.contributions import Contribution, Explainer, Explanation
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.notice import notice_of
from watchkeeper.judgement.evaluation import Evaluation
from watchkeeper.judgement.severity import fit_severity
from watchkeeper.judgement.thresholds import Threshold
from watchkeeper.telemetry.labels import Labels
from watchkeeper.telemetry.records import Record
from watchkeeper.telemetry.rows import parse_rows

BEGIN = datetime(2022, 4, 20, tzinfo=UTC)


def alert(hour: int) -> str:
    """The JSON of an alert of an incident that began in an hour of `BEGIN`'s day."""
    start = format_instant(BEGIN + timedelta(hours=hour))
    anomaly = AnomalyEvent(
        "water_flow", "flow|site=<i>", start, 3600, 3.0, 1.0, 0.5, 1.5, 3.0, 2.0, 90.0, "r", "e", "p"
    )
    [incident] = incidents_of([anomaly], GroupingRule(3600))
    return json.dumps({**notice_of("opened", incident, anomaly).to_dict(), "routes": ["operators"]})


def record(minutes: int, value: float = 1.0) -> Record:
    return Record(BEGIN + timedelta(minutes=minutes), {}, {"flow": value}, f"{minutes:016x}")


def score(hour: int, value: float, threshold: float = 2.0) -> ScoreLine:
    start = format_instant(BEGIN + timedelta(hours=hour))
    return ScoreLine(
        "water_flow", "flow", start, 10.0 + value, 11.0, 10.0, 12.0, value, None, threshold, 50.0,
        value > threshold, run_id="r", anomaly=event(start, value),
    )  # fmt: skip


def event(start: str, value: float, threshold: float = 2.0) -> AnomalyEvent | None:
    if value <= threshold:
        return None
    return AnomalyEvent(
        "water_flow", "flow", start, 3600, 10.0 + value, 11.0, 10.0, 12.0, value, threshold, 50.0,
        "r", "e", "p",
        contributions=tuple(
            Contribution("value", "flow", lag, share * value) for lag, share in ((1, 0.75), (0, 0.25))
        ),
        explanation=Explanation("forest", rank_agreement=0.9),
    )  # fmt: skip


def test_only_intervals_that_close_are_waited_for(plan: WorkloadPlan) -> None:
    records = [record(0), record(60), record(120)]

    assert expected_intervals(records, plan) == {
        ("flow", "2022-04-20T00:00:00Z"),
        ("flow", "2022-04-20T01:00:00Z"),
    }


def test_lateness_keeps_the_last_intervals_open(plan: WorkloadPlan) -> None:
    late = dataclasses.replace(plan, lateness_seconds=3600)

    assert len(expected_intervals([record(0), record(60), record(120)], late)) == 1


def put_scores(session: boto3.Session, key: str, scores: list[ScoreLine]) -> None:
    body = "".join(f"{item.to_json()}\n" for item in scores).encode()
    key = scores_key("water_flow", "2024-01-01T00", key, "")
    session.client("s3").put_object(Bucket="data", Key=key, Body=gzip.compress(body))


def test_waits_until_every_interval_is_scored(session: boto3.Session) -> None:
    session.client("s3").create_bucket(Bucket="data")
    first, second = score(0, 1.0), score(1, 3.0)
    put_scores(session, "a", [first])
    seen: list[int] = []

    def later(seconds: float) -> None:
        put_scores(session, "b", [second])

    found = wait_until_scored(
        ScoreReader(session, "data", "water_flow"),
        {("flow", first.interval_start), ("flow", second.interval_start)},
        seen.append,
        sleep=later,
    )

    assert found == [first, second]
    assert seen == [1, 2]


def test_silence_ends_the_wait_with_what_is_missing(session: boto3.Session) -> None:
    session.client("s3").create_bucket(Bucket="data")
    now = iter(range(0, 10_000, 100))

    with pytest.raises(StepFailedError, match=r"1 of 1 intervals.*2022-04-20T00:00:00Z"):
        wait_until_scored(
            ScoreReader(session, "data", "water_flow"),
            {("flow", "2022-04-20T00:00:00Z")},
            lambda found: None,
            sleep=lambda seconds: None,
            clock=lambda: float(next(now)),
        )


def test_an_interval_without_a_score_fails_the_demo(session: boto3.Session) -> None:
    session.client("s3").create_bucket(Bucket="data")
    unscored = dataclasses.replace(score(0, 0.0), anomaly_score=None)
    put_scores(session, "a", [unscored])

    with pytest.raises(StepFailedError, match="have no score"):
        wait_until_scored(
            ScoreReader(session, "data", "water_flow"),
            {("flow", unscored.interval_start)},
            lambda found: None,
        )


def test_the_earliest_alert_of_the_workload_reaches_the_subscriber(session: boto3.Session) -> None:
    topic_arn = session.client("sns").create_topic(Name="alerts")["TopicArn"]
    severity = {"DataType": "Number", "StringValue": "90"}

    with subscribed(session, topic_arn, "water_flow") as inbox:
        for workload, hour in (("air_quality", 1), ("water_flow", 0), ("water_flow", 5), ("water_flow", 3)):
            session.client("sns").publish(
                TopicArn=topic_arn,
                Subject=f"anomaly in {workload}",
                Message=alert(hour) if hour else json.dumps({"data_quality": {}, "routes": []}),
                MessageAttributes={
                    "workload": {"DataType": "String", "StringValue": workload},
                    "severity": severity,
                },
            )
        first = inbox.first(timeout_seconds=10)

    assert json.loads(first.message)["anomaly"]["interval_start"] == "2022-04-20T03:00:00Z"
    assert "Interval:  2022-04-20 03:00 to 04:00 UTC" in first.text()
    assert session.client("sqs").list_queues().get("QueueUrls", []) == []
    assert session.client("sns").list_subscriptions()["Subscriptions"] == []


def test_a_message_without_a_subject_is_shown_all_the_same() -> None:
    assert alert_in('{"Message": "text"}').subject == "(no subject)"


def test_live_metrics_know_precision_where_there_are_labels(plan: WorkloadPlan) -> None:
    scores = [score(0, 1.0), score(1, 3.0), score(2, 1.0), score(3, 3.0)]
    window = (epoch_microseconds(BEGIN + timedelta(hours=1)),) * 2

    labelled = live_metrics(scores, Labels((window,)), plan)

    assert (labelled.precision, labelled.recall) == (0.5, 1.0)
    assert "precision 0.50" in summary(labelled)
    assert "There are no labels" in summary(live_metrics(scores, Labels({}), plan))


def test_the_report_stands_alone_and_escapes_what_it_shows(plan: WorkloadPlan, tmp_path: Path) -> None:
    scores = [score(hour, 3.0 if hour == 5 else 1.0 + hour % 3 / 10) for hour in range(24)]
    live = live_metrics(scores, Labels({}), plan)
    chart = tmp_path / "flow.png"
    draw(
        "flow",
        scores,
        Labels(((epoch_microseconds(BEGIN), epoch_microseconds(BEGIN + timedelta(hours=3))),)),
        chart,
        "Europe/Berlin",
    )
    evaluation = Evaluation(
        "water_flow", "r", False, Threshold("mean_sigma", 2.0, {}, 10), fit_severity([1.0, 1.5], 2.0),
        live, live, None, {"flow": 1.0}, 10, Explainer("forest", "s3://b/k", 0.91, 500),
    )  # fmt: skip
    report = Report(
        "water_flow", live, evaluation, ["within <budget>"],
        alert_in(json.dumps({"Subject": "a & b", "Message": alert(5)})),
        [("train", 12.0), ("score", 3.5)], "freshness 90s: here 0.3 s",
        "watchkeeper-water-flow", [("boto3", "x < y")], chart, scores,
    )  # fmt: skip

    report.write(tmp_path / "report.html")

    text = (tmp_path / "report.html").read_text()
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert "data:image/png;base64," in text
    assert "15.5 s" in text
    assert "freshness 90s: here 0.3 s" in text
    assert "<td>flow 1 hour earlier</td><td>75%</td>" in text
    assert "1 of 1 anomalies are explained" in text
    assert "is 0.91, on 500 held-back rows" in text
    assert "within &lt;budget&gt;" in text
    assert "<i>" not in text
    assert "Severity:  90 of 100" in text
    assert "http" not in text.replace("http-equiv", "")


def test_an_anomaly_is_told_with_what_it_is_made_of_or_why_that_is_not_known() -> None:
    explained = score(0, 3.0)
    assert explained.anomaly is not None
    busy = dataclasses.replace(explained.anomaly, contributions=(), explanation=Explanation("none", "busy"))
    silent = dataclasses.replace(explained, anomaly=busy)

    assert reason_of(explained) == "mostly by: flow 1 hour earlier 75 %, flow now 25 %"
    assert reason_of(silent) == "not explained: busy"
    assert reason_of(score(0, 1.0)) == ""


def test_mean_shares_are_of_explained_anomalies_and_add_up_to_one() -> None:
    many = tuple(Contribution("value", "flow", lag, 1.0 + lag) for lag in range(12))
    wide = score(1, 3.0)
    wide = dataclasses.replace(wide, anomaly=dataclasses.replace(wide.anomaly, contributions=many))  # type: ignore[type-var]

    shares = mean_shares([score(0, 3.0), wide, score(2, 1.0)])

    assert sum(share for _, share in shares) == pytest.approx(1.0)
    assert shares[0][0] == "flow 1 hour earlier"
    assert shares[-1][0] == "everything else"
    assert mean_shares([score(0, 1.0)]) == []


def test_the_strongest_anomaly_is_the_most_severe_and_earliest() -> None:
    scores = [score(0, 1.0), score(1, 3.0), score(2, 3.0)]

    assert strongest(scores) == scores[1]
    assert strongest(scores[:1]) is None


def test_invocation_lines_hold_a_row_that_parses() -> None:
    (_, python), (_, shell) = invocations("watchkeeper-water-flow", score(2, 1.0))

    row = python.split('Body="')[1].split('"')[0]
    assert next(parse_rows([row])).timestamp == parse_instant("2022-04-20T02:00:00Z")
    assert row in shell


def test_the_default_data_is_split_without_loss(plan: WorkloadPlan, tmp_path: Path) -> None:
    material = prepared(DATASETS["water_flow"], plan, tmp_path)

    uploaded = material.history_file.read_text().splitlines()
    assert len(uploaded) + len(material.live) == 1268
    assert material.labels_file is None
    assert min(reading.event_time for reading in material.live) >= BEGIN


def test_a_download_comes_before_the_deployment_and_one_that_fails_deploys_nothing(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed: list[str] = []

    def offline(*_: object) -> None:
        raise InvalidInputError("https://… cannot be downloaded")

    monkeypatch.setattr("cli.demo.command.prepared", offline)
    monkeypatch.setattr("cli.demo.command.Deployer.deploy", lambda self: deployed.append(self.workload))

    answer = CliRunner().invoke(app, ["demo", "machine_temperature", "--stage", "laptop"])

    assert answer.exit_code == 2, answer.output
    assert "cannot be downloaded" in answer.output
    assert deployed == []
