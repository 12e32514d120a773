"""Workloads whose telemetry is already somewhere: what is sent, fetched, refused, and what asking costs."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3
import pytest

from cli.fetch import fetch
from cli.preflight.finding import Level
from cli.preflight.sources import check_sources
from cli.replay import check_sendable, put_in_stream
from cli.telemetry import read_telemetry
from lambdas.costs.model import Fleet, ingestion_month
from lambdas.costs.prices import Prices
from tests.unit.cli.answering import AnsweringAws
from tests.unit.watchkeeper.test_feeds import ATHENA, CLOUDWATCH, FOLDERS, SEARCH, SPEC
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import AnomalyWorkload, load_workload

ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/plant"
LOAD = {"Namespace": "Plant", "MetricName": "Load"}
KINESIS = f"kinesis: {{stream: '{ARN}'}}"
ASKED_A_MONTH = 30 * 24 * 12
METRICS_A_MONTH = ASKED_A_MONTH * 1000


def spec_of(folder: Path, source: str) -> AnomalyWorkload:
    path = folder / "presses.yaml"
    path.write_text(SPEC.format(source=source, interval="5m"))
    found = load_workload(path)
    assert isinstance(found, AnomalyWorkload)
    return found


def test_readings_are_put_into_a_data_stream_by_their_place(tmp_path: Path, session: boto3.Session) -> None:
    client = session.client("kinesis")
    client.create_stream(StreamName="plant", ShardCount=1)
    arn = client.describe_stream_summary(StreamName="plant")["StreamDescriptionSummary"]["StreamARN"]
    spec = spec_of(tmp_path, f"kinesis: {{stream: '{arn}'}}")
    file = tmp_path / "history.jsonl"
    file.write_text("".join(f'{{"timestamp": "2026-03-01T06:0{n}:00Z", "load": {n}}}\n' for n in range(3)))
    assert spec.source.kinesis is not None

    put_in_stream(session, spec.source.kinesis, read_telemetry(file, spec.plan()).readings, None)

    [shard] = client.list_shards(StreamName="plant")["Shards"]
    first = client.get_shard_iterator(
        StreamName="plant", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )
    records = client.get_records(ShardIterator=first["ShardIterator"])["Records"]
    assert [json.loads(record["Data"])["load"] for record in records] == [0, 1, 2]


@pytest.mark.parametrize("source", [CLOUDWATCH, ATHENA, FOLDERS])
def test_nothing_is_sent_to_what_is_asked_for_the_newest_only(tmp_path: Path, source: str) -> None:
    with pytest.raises(InvalidInputError, match="watchkeeper fetch presses"):
        check_sendable(spec_of(tmp_path, source))


@pytest.mark.parametrize("source", [CLOUDWATCH.replace("p99", "Average"), SEARCH])
def test_the_past_of_metrics_is_fetched_as_a_file_to_train_on(
    tmp_path: Path, session: boto3.Session, source: str
) -> None:
    spec_of(tmp_path, source)
    now = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
    times = [now - timedelta(minutes=5 * number) for number in (3, 2, 1)]
    session.client("cloudwatch").put_metric_data(
        Namespace="Plant",
        MetricData=[
            {"MetricName": "Load", "Timestamp": at, "Value": float(value)} for value, at in enumerate(times)
        ],
    )
    file = tmp_path / "history.jsonl.gz"

    fetch(str(tmp_path / "presses.yaml"), output=file, since=(now - timedelta(hours=1)).isoformat())

    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    assert lines == [
        {"timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}", "load": float(value)} for value, at in enumerate(times)
    ]


def test_a_source_without_a_past_or_without_anything_says_so(tmp_path: Path, session: boto3.Session) -> None:
    file = tmp_path / "presses.yaml"
    spec_of(tmp_path, KINESIS)
    with pytest.raises(InvalidInputError, match=r"source\.kinesis keeps no past to fetch"):
        fetch(str(file))
    spec_of(tmp_path, FOLDERS)
    with pytest.raises(InvalidInputError, match="--from is missing"):
        fetch(str(file))
    spec_of(tmp_path, CLOUDWATCH)
    with pytest.raises(InvalidInputError, match="has nothing from"):
        fetch(str(file), output=tmp_path / "nothing.gz", since="2026-01-01", until="2026-01-02")
    assert not (tmp_path / "nothing.gz").exists()


def costs(tmp_path: Path, source: str, fleet: Fleet | None = None) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in ingestion_month(spec_of(tmp_path, source), Prices.read(), fleet or Fleet()):
        found[each.service] = found.get(each.service, 0.0) + (each.usd or 0.0)
    return found


def requests(tmp_path: Path, source: str) -> dict[str, float]:
    month = ingestion_month(spec_of(tmp_path, source), Prices.read(), Fleet())
    return {each.what: each.quantity / ASKED_A_MONTH for each in month if each.unit != "GB-second"}


def test_metrics_cost_by_how_many_are_asked_for(tmp_path: Path) -> None:
    of_metrics = costs(tmp_path, CLOUDWATCH)
    assert of_metrics["CloudWatch"] == pytest.approx(METRICS_A_MONTH / 1000 * 0.01, rel=0.01)
    assert "Firehose" not in of_metrics
    assert costs(tmp_path, SEARCH) == of_metrics


def test_a_query_costs_by_what_it_scans_and_10_megabytes_at_least(tmp_path: Path) -> None:
    least = costs(tmp_path, ATHENA)["Athena"]
    assert least == pytest.approx(30 * 24 * 12 * 10 / 1e6 * 5)
    small, large = (ATHENA.replace("athena: {", f"athena: {{scanned_megabytes: {n}, ") for n in ("1", "100"))
    assert costs(tmp_path, small)["Athena"] == least
    assert costs(tmp_path, large)["Athena"] == pytest.approx(10 * least)


def test_a_data_stream_costs_its_shards_and_delivery_without_iot(tmp_path: Path) -> None:
    found = costs(tmp_path, KINESIS)
    assert set(found) == {"Firehose", "Kinesis", "S3"}
    assert found["Kinesis"] == pytest.approx(30 * 24 * 0.015)
    much = Fleet(devices=750_000)  # 2,500 records a second
    assert costs(tmp_path, KINESIS, much)["Kinesis"] == pytest.approx(3 * 30 * 24 * 0.015)


def test_what_is_asked_again_for_late_records_costs_its_requests(tmp_path: Path) -> None:
    late = FOLDERS + "\nlateness: 10m"
    assert requests(tmp_path, FOLDERS.replace(", offset: 12m", "")) == {
        "messages of what is fetched": 4,
        "files read": 1,
        "telemetry objects put": 1,
        "fetch_telemetry": 1,
        "logs of fetch_telemetry": pytest.approx(1.7e-6),
    }
    once, again = requests(tmp_path, FOLDERS), requests(tmp_path, late)
    for what in ("files read", "telemetry objects put", "lists of what there is"):
        assert (once[what], again[what]) == (1, 3), what
    for what in ("schedule of the source", "fetch_due", "messages of what is fetched"):
        assert once[what] == again[what], what
    assert requests(tmp_path, ATHENA + "\nlateness: 10m")["telemetry objects put"] == 1


@pytest.mark.parametrize(
    ("source", "answers", "level", "said"),
    [
        (
            CLOUDWATCH,
            {"ListMetrics": {"Metrics": [{**LOAD, "Dimensions": []}]}},
            Level.GREEN,
            "has 1 metrics for load by no dimension",
        ),
        (
            SEARCH,
            {"ListMetrics": {"Metrics": [{**LOAD, "Dimensions": [{"Name": "Host", "Value": "a"}]}]}},
            Level.YELLOW,
            'has had no metric that {Plant} MetricName="Load" finds for two weeks',
        ),
        (
            CLOUDWATCH,
            {"ListMetrics": {"Metrics": [{**LOAD, "Dimensions": [{"Name": "Host", "Value": "a"}]}]}},
            Level.YELLOW,
            "has had no metric Plant Load by no dimension",
        ),
        (
            KINESIS,
            {"DescribeStreamSummary": {"StreamDescriptionSummary": {"StreamStatus": "ACTIVE"}}},
            Level.GREEN,
            "is active",
        ),
        (
            KINESIS,
            {
                "DescribeStreamSummary": {
                    "StreamDescriptionSummary": {
                        "StreamStatus": "ACTIVE",
                        "EncryptionType": "KMS",
                        "KeyId": "alias/plant",
                    }
                }
            },
            Level.YELLOW,
            "encrypted with the key alias/plant",
        ),
        (ATHENA, {"GetWorkGroup": {"WorkGroup": {"Name": "primary"}}}, Level.GREEN, "takes the query"),
        (
            ATHENA,
            {
                "GetWorkGroup": {
                    "WorkGroup": {
                        "Configuration": {
                            "EnforceWorkGroupConfiguration": True,
                            "ResultConfiguration": {"OutputLocation": "s3://elsewhere/"},
                        }
                    }
                }
            },
            Level.YELLOW,
            "writes all results to s3://elsewhere/",
        ),
    ],
)
def test_preflight_looks_at_each_source(
    tmp_path: Path, source: str, answers: dict[str, object], level: Level, said: str
) -> None:
    aws = AnsweringAws(answers=dict(answers))  # type: ignore[arg-type]
    [finding] = check_sources(aws.session("eu-west-1"), [spec_of(tmp_path, source)])
    assert finding.level is level
    assert said in finding.text


@pytest.mark.parametrize(
    ("source", "operation", "code", "remedy"),
    [
        (KINESIS, "DescribeStreamSummary", "ResourceNotFoundException", "create-stream --stream-name plant"),
        (ATHENA, "GetWorkGroup", "InvalidRequestException", "create-work-group --name primary"),
    ],
)
def test_preflight_says_how_what_is_missing_is_made(
    tmp_path: Path, source: str, operation: str, code: str, remedy: str
) -> None:
    aws = AnsweringAws(refused={operation: code})
    [finding] = check_sources(aws.session("eu-west-1"), [spec_of(tmp_path, source)])
    assert finding.level is not Level.GREEN
    assert remedy in str(finding.remedy)


def test_a_bucket_whose_folders_are_listed_need_not_announce_its_files(tmp_path: Path) -> None:
    aws = AnsweringAws(answers={"HeadBucket": {"BucketRegion": "eu-west-1"}})
    [finding] = check_sources(aws.session("eu-west-1"), [spec_of(tmp_path, FOLDERS)])
    assert (finding.level, finding.text) == (
        Level.GREEN,
        "the bucket plant is there: its folders are listed",
    )
