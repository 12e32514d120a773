"""Workloads whose telemetry is in folders of a bucket: replayed into them, and what fetching costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from cli.device import topic_of
from cli.freshness import told
from cli.replay import write_folders
from cli.telemetry import Reading, read_telemetry
from lambdas.costs.model import Fleet, Flow, ingestion_month
from lambdas.costs.prices import Prices
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.spec import AnomalyWorkload, load_workload

SPEC = """\
name: gases
kind: anomaly
source:
  folders: {bucket: plant, path: "gases/{{yyyyMMdd}}/{{HHmm}}/"}
  timestamp: {field: at, timezone: Europe/Berlin}
  where: {station: north}
measures:
  - {field: co, name: co}
dimensions: [station]
interval: 5m
detector: {algorithm: watchkeeper}
"""
ROWS = "at,station,co\n2026-03-01 06:04,north,1\n2026-03-01 06:05,north,2\n2026-03-01 06:09,south,3\n"


@pytest.fixture
def spec(tmp_path: Path) -> AnomalyWorkload:
    found = load_workload(tmp_path / "gases.yaml", SPEC)
    assert isinstance(found, AnomalyWorkload)
    return found


@pytest.fixture
def readings(tmp_path: Path, spec: AnomalyWorkload) -> list[Reading]:
    file = tmp_path / "history.csv"
    file.write_text(ROWS)
    return list(read_telemetry(file, replace(spec.plan())).readings)


def test_a_file_is_replayed_as_a_file_for_each_interval_in_the_zone_of_the_source(
    spec: AnomalyWorkload, readings: list[Reading], session: boto3.Session
) -> None:
    s3 = session.client("s3")
    s3.create_bucket(Bucket="plant")
    assert spec.source.folders is not None

    write_folders(session, spec, spec.source.folders, readings, None)

    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="plant")["Contents"]]
    assert [key.rpartition("/")[0] for key in keys] == ["gases/20260301/0600", "gases/20260301/0605"]
    assert all(spec.source.folders.folder_path.holds(key) for key in keys)
    body = s3.get_object(Bucket="plant", Key=keys[1])["Body"].read()
    assert body.count(b"\n") == 2


def test_a_bucket_that_is_not_there_is_told(
    spec: AnomalyWorkload, readings: list[Reading], session: boto3.Session
) -> None:
    assert spec.source.folders is not None
    with pytest.raises(ContractViolationError, match="write to the bucket plant"):
        write_folders(session, spec, spec.source.folders, readings, None)


def test_files_wait_in_no_delivery_stream(spec: AnomalyWorkload) -> None:
    assert told(spec, 2) == "files are fetched when they are written"


def test_no_device_publishes_for_it(spec: AnomalyWorkload) -> None:
    with pytest.raises(InvalidInputError, match="no device publishes for gases"):
        topic_of(spec, "pump")


def test_where_is_part_of_the_plan_and_only_of_plans_that_have_it(spec: AnomalyWorkload) -> None:
    assert spec.plan().to_dict()["where"] == {"measure": None, "where": {"station": ["north"]}}
    other = spec.model_copy(update={"source": spec.source.model_copy(update={"where": {}})})
    assert "where" not in other.plan().to_dict()


def test_fetching_costs_a_file_an_interval_and_nothing_of_iot_and_firehose(spec: AnomalyWorkload) -> None:
    costs = list(ingestion_month(spec, Prices.read(), Fleet()))

    assert Flow.of(spec, Fleet()).objects == 30 * 24 * 12
    assert {each.service for each in costs} == {"CloudWatch", "Lambda", "S3", "SQS"}
    assert 0 < sum(each.usd or 0 for each in costs) < 10
