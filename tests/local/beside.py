"""The workloads that journeys need beside the samples, and what these find there: all are deployed at once.

A synthesis and a deployment for each would be a quarter of the journeys' time.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cli.demo.imported import IMPORTED
from tests.local.laptop import ROOT, Laptop
from tests.local.receivers import Receivers, receivers

IMPORTED_WORKLOAD, PLANT = "plant_air", "lookout-plant-air"
"""A detector of Lookout for Metrics, and the bucket that it reads."""
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
    "press_metrics": (
        "cloudwatch: {metrics: [{search: '{Journey,press} MetricName=\"load\" NOT gone'}], offset: 1h}"
    ),
    "press_rows": (
        f"athena: {{database: journey, reads: [{{bucket: {LAKE}, prefix: rows/}}], offset: 1h, query: "
        "\"SELECT ts AS timestamp, press, load FROM presses WHERE ts >= TIMESTAMP '{from}' "
        "AND ts < TIMESTAMP '{to}'\"}"
    ),
    "press_files": f"folders: {{bucket: {LAKE}, path: 'files/{{{{yyyyMMdd}}}}/', offset: 1h}}",
    "press_records": "kinesis: {stream: 'STREAM'}\nfreshness: 1s",
}
"""Sources of telemetry by workload."""
WATCHED = "fleet_watch"
FLEET = f"""\
name: {WATCHED}
kind: device_behaviour
interval: 10s
behaviours:
  - {{name: messages_sent, allowed: {{upper: 20, severity: 95}}}}
  - {{name: bytes_sent}}
  - {{name: messages_received}}
  - {{name: source_addresses}}
  - {{name: connection_attempts}}
  - {{name: disconnects}}
  - {{name: authorization_failures}}
metrics:
  - {{field: battery, name: battery}}
mitigation: {{quarantine: {{measures: [messages_sent]}}}}
"""


def workloads_beside(laptop: Laptop, folder: Path) -> Receivers:
    """Let a laptop's deployment have them; return who receives alerts of `receivers.NAME`."""
    shutil.copytree(ROOT / "workloads", folder, dirs_exist_ok=True)
    (folder / f"{WATCHED}.yaml").write_text(FLEET)
    stream = _make_places(laptop)
    for name, source in SOURCES.items():
        text = f"name: {name}\nkind: anomaly\nsource:\n  {source.replace('STREAM', stream)}{REST}"
        (folder / f"{name}.yaml").write_text(text)
    template = str(IMPORTED[IMPORTED_WORKLOAD])
    laptop.watchkeeper("import", template, "--folder", str(folder), "--parameter", f"Bucket={PLANT}")
    laptop.workloads = folder
    return receivers(laptop, folder)


def _make_places(laptop: Laptop) -> str:
    """Make buckets, a table of files, and a data stream; return the stream's ARN."""
    s3, kinesis, glue = (laptop.client(name) for name in ("s3", "kinesis", "glue"))
    for bucket in (PLANT, LAKE):
        s3.create_bucket(Bucket=bucket)
    announced = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=PLANT, NotificationConfiguration=announced)
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
    kinesis.create_stream(StreamName="journey", ShardCount=1)
    summary = kinesis.describe_stream_summary(StreamName="journey")["StreamDescriptionSummary"]
    return str(summary["StreamARN"])
