"""Telemetry from where it already is: metrics, rows, folders and a data stream of the laptop are lines once.

Nothing is trained: that what lies under `raw/` is scored, the other journeys show. The schedules' messages
are sent by the test, so that it need not wait for a clock.
"""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from lambdas.sources.due import due_message
from tests.local.beside import LAKE, SOURCES
from tests.local.laptop import Laptop
from tests.local.scored import quarantined
from tests.local.waiting import until
from watchkeeper.core import layout
from watchkeeper.core.timestamps import format_instant

pytestmark = [pytest.mark.local, pytest.mark.timeout(900)]

DAY = timedelta(days=1)
BEGIN = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) - 2 * DAY
"""Of the interval that is asked for: what CloudWatch has of it is no longer than two weeks old."""
SCHEDULED = ("press_metrics", "press_rows", "press_files")


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


def test_each_source_becomes_telemetry_once(laptop: Laptop) -> None:
    s3, at = laptop.client("s3"), format_instant(BEGIN)
    put_metric(laptop, "a", 1.0)
    put_metric(laptop, "gone", 9.0)  # the search leaves it out
    s3.put_object(Bucket=LAKE, Key="rows/a.csv", Body=f"{BEGIN:%Y-%m-%d} 01:00:00,a,2.0\n".encode())
    file = f"timestamp,press,load\n{at},a,3.0\n{at},b,oops\n"
    s3.put_object(Bucket=LAKE, Key=f"files/{BEGIN:%Y%m%d}/a.csv", Body=file.encode())
    for name in SCHEDULED:
        ask(laptop, name, timedelta(hours=1))
    record = json.dumps({"timestamp": at, "press": "a", "load": 4.0}).encode()
    laptop.client("kinesis").put_record(StreamName="journey", PartitionKey="a", Data=record)
    for value, name in enumerate(SOURCES, start=1):
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
