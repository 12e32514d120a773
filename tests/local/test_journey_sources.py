"""Telemetry from where it already is: metrics, rows, folders and a data stream of the laptop are lines once.

Nothing is trained: that what lies under `raw/` is scored, the other journeys show. The schedules' messages
are sent by the test, so that it need not wait for a clock.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from lambdas.sources.due import due_message
from tests.local.laptop import Laptop
from tests.local.scored import quarantined
from tests.local.waiting import until
from watchkeeper.core import layout
from watchkeeper.core.timestamps import format_instant

pytestmark = [pytest.mark.local, pytest.mark.timeout(900)]

DAY = timedelta(days=1)
BEGIN = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) - 2 * DAY
"""Of the interval that is asked for: what CloudWatch has of it is no longer than two weeks old."""
LAKE = "journey-lake"
REST = """
measures:
  - {field: load, name: load}
dimensions: [press]
interval: 1d
detector: {algorithm: watchkeeper}
alerts: {routes: [{channel: operators}]}
"""
SOURCES = {
    "press_metrics": "cloudwatch: {namespace: Journey, metrics: [{metric: load}], offset: 1h}",
    "press_rows": (
        f"athena: {{database: journey, reads: [{{bucket: {LAKE}, prefix: rows/}}], offset: 1h, query: "
        "\"SELECT ts AS timestamp, press, load FROM presses WHERE ts >= TIMESTAMP '{from}' "
        "AND ts < TIMESTAMP '{to}'\"}"
    ),
    "press_files": f"folders: {{bucket: {LAKE}, path: 'files/{{{{yyyyMMdd}}}}/', offset: 1h}}",
    "press_records": "kinesis: {stream: 'STREAM'}\nfreshness: 1s",
}
SCHEDULED = ("press_metrics", "press_rows", "press_files")


@pytest.fixture
def plant(laptop: Laptop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is there before: a bucket, a table of its files, and a data stream; and the workloads."""
    s3, kinesis, glue = (laptop.client(name) for name in ("s3", "kinesis", "glue"))
    s3.create_bucket(Bucket=LAKE)
    kinesis.create_stream(StreamName="journey", ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName="journey")["StreamDescriptionSummary"]["StreamARN"]
    glue.create_database(DatabaseInput={"Name": "journey"})
    columns = [("ts", "timestamp"), ("press", "string"), ("load", "double")]
    glue.create_table(
        DatabaseName="journey",
        TableInput={
            "Name": "presses",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Location": f"s3://{LAKE}/rows/",
                "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"},
            },
        },
    )
    for name, source in SOURCES.items():
        text = f"name: {name}\nkind: anomaly\nsource:\n  {source.replace('STREAM', stream)}{REST}"
        (tmp_path / f"{name}.yaml").write_text(text)
    monkeypatch.setitem(os.environ, "WATCHKEEPER_WORKLOADS", str(tmp_path))
    laptop.watchkeeper("deploy", "--stage", "laptop")
    yield
    stacks = laptop.client("cloudformation")
    for name in SOURCES:
        stacks.delete_stack(StackName=layout.workload_stack(name))
    for name in SOURCES:
        stacks.get_waiter("stack_delete_complete").wait(
            StackName=layout.workload_stack(name), WaiterConfig={"Delay": 1}
        )
    for found in s3.list_objects_v2(Bucket=LAKE).get("Contents", []):
        s3.delete_object(Bucket=LAKE, Key=found["Key"])
    s3.delete_bucket(Bucket=LAKE)
    kinesis.delete_stream(StreamName="journey")
    glue.delete_table(DatabaseName="journey", Name="presses")
    glue.delete_database(Name="journey")


def ask(laptop: Laptop, workload: str, after: timedelta) -> None:
    """Send what the schedule sends, so long after the interval."""
    pages = laptop.client("cloudformation").get_paginator("list_stack_resources")
    [queue] = [
        each["PhysicalResourceId"]
        for page in pages.paginate(StackName=layout.workload_stack(workload))
        for each in page["StackResourceSummaries"]
        if each["LogicalResourceId"].startswith("SourceWorkQueue")
        and each["ResourceType"] == "AWS::SQS::Queue"
    ]
    laptop.client("sqs").send_message(
        QueueUrl=queue,
        MessageGroupId=workload,
        MessageBody=due_message(workload, format_instant(BEGIN + DAY + after)),
    )


def telemetry(laptop: Laptop, workload: str) -> list[tuple[str, float]]:
    """Return place and value of all that lies under `raw/`."""
    lines: list[dict[str, Any]] = [
        json.loads(line)
        for key in laptop.keys(layout.raw_prefix(workload))
        for line in gzip.decompress(laptop.read(key)).splitlines()
    ]
    return sorted((line["press"], float(line["load"])) for line in lines)


def put_metric(laptop: Laptop, press: str, value: float) -> None:
    laptop.client("cloudwatch").put_metric_data(
        Namespace="Journey",
        MetricData=[
            {
                "MetricName": "load",
                "Dimensions": [{"Name": "press", "Value": press}],
                "Timestamp": BEGIN + timedelta(hours=6),
                "Value": value,
            }
        ],
    )


def test_each_source_becomes_telemetry_once(laptop: Laptop, plant: None) -> None:
    s3, at = laptop.client("s3"), format_instant(BEGIN)
    put_metric(laptop, "a", 1.0)
    s3.put_object(Bucket=LAKE, Key="rows/a.csv", Body=f"{BEGIN:%Y-%m-%d} 01:00:00,a,2.0\n".encode())
    file = f"timestamp,press,load\n{at},a,3.0\n{at},b,oops\n"
    s3.put_object(Bucket=LAKE, Key=f"files/{BEGIN:%Y%m%d}/a.csv", Body=file.encode())
    for name in SCHEDULED:
        ask(laptop, name, timedelta(hours=1))
    record = json.dumps({"timestamp": at, "press": "a", "load": 4.0}).encode()
    laptop.client("kinesis").put_record(StreamName="journey", PartitionKey="a", Data=record)
    for value, name in enumerate(("press_metrics", "press_rows", "press_files", "press_records"), start=1):
        until(
            lambda name=name, value=value: telemetry(laptop, name) == [("a", float(value))],  # type: ignore[misc]
            what=f"the telemetry of {name}",
        )
    [refused] = until(lambda: quarantined(laptop, "press_files"), what="the row that is no number")
    assert refused["reason"] == "not_a_number"

    put_metric(laptop, "b", 5.0)  # late
    for name in SCHEDULED:
        ask(laptop, name, timedelta(hours=2))
    until(
        lambda: telemetry(laptop, "press_metrics") == [("a", 1.0), ("b", 5.0)],
        what="the metric that came late",
    )
    assert telemetry(laptop, "press_rows") == [("a", 2.0)]
    assert telemetry(laptop, "press_files") == [("a", 3.0)]
    assert laptop.denied() == []
