"""`watchkeeper replay`: send a file's telemetry as a device, or what writes the folders, would have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Annotated

import boto3
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.device import Broker, broker_of, provisioned, topic_of
from cli.metrics import say_read
from cli.publisher import Pace, Publisher
from cli.specs import WorkloadName, anomaly_spec_of
from cli.telemetry import Reading, instant_of, read_telemetry
from lambdas.adapters.errors import translated
from watchkeeper.command.screen import console, done
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.timestamps import time_zone
from watchkeeper.spec import AnomalyWorkload
from watchkeeper.spec.feeds import Folders, KinesisStream

RECORDS_A_CALL = 500
"""Most of one PutRecords."""

Host = Annotated[str | None, typer.Option("--host", envvar="WATCHKEEPER_MQTT_HOST", help="MQTT broker.")]
Port = Annotated[int | None, typer.Option("--port", envvar="WATCHKEEPER_MQTT_PORT", help="Its TLS port.")]
Authority = Annotated[
    str | None,
    typer.Option(
        "--ca", envvar="WATCHKEEPER_MQTT_CA", help="Path or URL of its certificate authority (PEM)."
    ),
]


def replay(
    workload: WorkloadName,
    file: Annotated[Path, typer.Argument(help="Telemetry: CSV, JSON or Parquet, also packed.")],
    since: Annotated[
        str | None, typer.Option("--from", help="Send what was measured from here: ISO 8601.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="And before this: ISO 8601.")] = None,
    speed: Annotated[
        float | None, typer.Option(min=0.001, help="Event seconds a second; as fast as it goes without.")
    ] = None,
    host: Host = None,
    port: Port = None,
    authority: Authority = None,
) -> None:
    """Send a file's telemetry: over MQTT, with a device certificate made for it, or as files of a bucket."""
    spec = anomaly_spec_of(workload, "replay")
    check_sendable(spec)
    telemetry = read_telemetry(file, spec.plan())
    say_read(file, telemetry.tally, notes=telemetry.notes)
    chosen = telemetry.between(instant_of(since, "--from"), instant_of(until, "--to")).readings
    if not chosen:
        raise InvalidInputError(f"{file}: nothing between --from {since} and --to {until}")
    session = boto3.Session()
    publish(session, spec, chosen, broker_of(session, host, port, authority), speed)
    done(f"{len(chosen)} records {sent_as(spec)}")


def sent_as(spec: AnomalyWorkload) -> str:
    """Say what became of records that were sent."""
    return "published and acknowledged" if spec.source.topic is not None else "written"


def check_sendable(spec: AnomalyWorkload) -> None:
    """Refuse a workload to which nobody can send what was measured before.

    Raises
    ------
    InvalidInputError
        If its source is asked for its newest intervals only.
    """
    if spec.source.scheduled is not None:
        raise InvalidInputError(
            f"workload {spec.name}: source.{spec.source.place} is asked for the newest intervals only, so a "
            f"file cannot be sent: `watchkeeper deploy`, then `watchkeeper fetch {spec.name}` and "
            f"`watchkeeper train {spec.name} --history FILE`, and what is new is scored"
        )


def publish(
    session: boto3.Session,
    spec: AnomalyWorkload,
    readings: Sequence[Reading],
    broker: Broker,
    speed: float | None,
) -> None:
    """Publish readings with QoS 1 and return when the broker has acknowledged all of them; of a workload that
    has folders, write a file for each interval into its bucket; or put them into its data stream."""
    if spec.source.folders is not None:
        write_folders(session, spec, spec.source.folders, readings, speed)
        return
    if spec.source.kinesis is not None:
        put_in_stream(session, spec.source.kinesis, readings, speed)
        return
    topic = topic_of(spec, f"{spec.name}-replay")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        provisioned(session, spec.name, topic) as identity,
        Publisher(broker, identity, spec.lateness) as publisher,
        Progress(*columns, console=console, transient=True) as bar,
    ):
        task = bar.add_task(f"publishing to {topic}", total=len(readings))
        send(readings, partial(publisher.publish, topic), Pace(speed), partial(bar.advance, task))
        publisher.drain()


def write_folders(
    session: boto3.Session,
    spec: AnomalyWorkload,
    folders: Folders,
    readings: Sequence[Reading],
    speed: float | None,
) -> None:
    """Write a file of JSON lines for each interval, at the pace of the readings.

    Raises
    ------
    ContractViolationError
        If the bucket cannot be written to.
    """
    s3, seconds, pace = session.client("s3"), spec.interval.total_seconds(), Pace(speed)
    zone = time_zone(spec.timezone)
    for begin, inside in groupby(readings, lambda each: each.event_time.timestamp() // seconds * seconds):
        lines = list(inside)
        pace.wait_for(begin + seconds - readings[0].event_time.timestamp())
        folder = folders.folder_path.at(datetime.fromtimestamp(begin, zone))
        with translated(f"write to the bucket {folders.bucket}"):
            s3.put_object(
                Bucket=folders.bucket,
                Key=f"{folder.rstrip('/')}/replayed-{int(begin)}.jsonl",
                Body=b"".join(line.message + b"\n" for line in lines),
            )


def put_in_stream(
    session: boto3.Session, source: KinesisStream, readings: Sequence[Reading], speed: float | None
) -> None:
    """Put readings into a data stream, those of one place in order, at the pace of the readings.

    Raises
    ------
    ContractViolationError
        If the stream cannot be written to.
    UnavailableError
        If it takes no more for now.
    """
    client, pace, first = session.client("kinesis"), Pace(speed), readings[0].event_time
    for begin in range(0, len(readings), RECORDS_A_CALL):
        some = readings[begin : begin + RECORDS_A_CALL]
        pace.wait_for((some[0].event_time - first).total_seconds())
        records = [
            {"Data": each.message, "PartitionKey": "|".join(each.record.dimensions.values()) or "-"}
            for each in some
        ]
        with translated(f"put records into {source.stream}"):
            failed = client.put_records(StreamARN=source.stream, Records=records)["FailedRecordCount"]
        if failed:
            raise UnavailableError(f"{source.stream} has refused {failed} records: it has too few shards")


def send(
    readings: Sequence[Reading],
    hand_over: Callable[[bytes, datetime], None],
    pace: Pace,
    sent: Callable[[], None],
) -> None:
    """Hand over messages in the order of their time, at the pace of it; the publisher waits where it must."""
    for reading in readings:
        pace.wait_for((reading.event_time - readings[0].event_time).total_seconds())
        hand_over(reading.message, reading.event_time)
        sent()
