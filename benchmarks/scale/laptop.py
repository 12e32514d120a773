"""The stream on the laptop's Glue: deployed by its own construct, killed once, with its role's permissions.

`python -m benchmarks.scale.laptop`: objects of telemetry go to S3, from there by EventBridge to the queue; in
the middle the whole local cloud is killed and started again. What was written must be, byte for byte, what
the Lambda function's host writes of the same objects.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from benchmarks.journey.laptop import localcloud, running
from benchmarks.scale.environment import spark_python
from benchmarks.scale.equality import differences, in_lambda
from benchmarks.scale.telemetry import PLAN, RELEASE, WORKLOAD, interval_lines, objects, source_of
from infra.constructs.spark_stream import SparkStream, StreamPlaces
from lambdas.adapters.object_store import ObjectUri
from lambdas.adapters.release_store import TableReleaseStore
from localcloud.settings import Settings
from localcloud.supervisor import Running
from pipeline.packaging import SPARK_SCRIPT, build_spark_code
from spark.manifest import Announced
from watchkeeper.core import layout
from watchkeeper.spec.scale import SparkScale
from watchkeeper.stream.readings import Source

DATA, PAGES, SERIES, ANOMALIES, BUS = "stream-data", "stream-pages", "series", "anomalies", "alerts"
DEVICES, BEFORE, AFTER = 20, 4, 3
_PATIENCE_SECONDS = 600


def main() -> None:
    """Run, and print what was found."""
    spark_python()
    with tempfile.TemporaryDirectory(prefix="stream-") as temporary, running(0.3) as settings:
        root = Path(temporary)
        client = boto3.client("s3")
        _prepare(root, settings)
        announced = [_put(root, client, interval) for interval in range(BEFORE)]
        glue, job = boto3.client("glue"), layout.stream_job_name(WORKLOAD)
        run = glue.start_job_run(JobName=job)["JobRunId"]
        begun = time.monotonic()
        _until(lambda: _scores(client) >= BEFORE - 2, glue, job, run)
        first = time.monotonic() - begun
        server = Running.read(settings)
        assert server is not None
        os.kill(server.server, signal.SIGKILL)
        localcloud("down", "--quiet")
        localcloud("up", "--detach", "--quiet")
        announced += [_put(root, client, BEFORE + interval) for interval in range(AFTER)]
        begun = time.monotonic()
        _until(lambda: _scores(client) >= BEFORE + AFTER - 2, glue, job, run)
        again = time.monotonic() - begun
        glue.batch_stop_job_run(JobName=job, JobRunIds=[run])
        _download(client, root)
        in_lambda(root, announced)
        count, wrong = differences(root)
    print(
        f"{count} objects, {len(wrong)} differ; the first scores {first:.0f} s after the start, those after "
        f"the kill {again:.0f} s after it"
    )
    if wrong or not count:
        raise SystemExit(f"differ: {wrong[:5]}")


def _prepare(root: Path, settings: Settings) -> None:
    """Make what the stream finds: buckets, tables, a bus, its plan and release; then the stream itself."""
    client, table = boto3.client("s3"), boto3.client("dynamodb")
    assets = f"cdk-hnb659fds-assets-{settings.account}-{settings.region}"
    for bucket in (DATA, PAGES, assets):
        client.create_bucket(Bucket=bucket)
    client.put_bucket_notification_configuration(
        Bucket=DATA, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    for name in (SERIES, ANOMALIES):
        keys: Any = [
            {"AttributeName": key, "KeyType": kind} for key, kind in (("pk", "HASH"), ("sk", "RANGE"))
        ]
        types: Any = [{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")]
        table.create_table(
            TableName=name, KeySchema=keys, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST"
        )
    boto3.client("events").create_event_bus(Name=BUS)
    boto3.client("ssm").put_parameter(
        Name=layout.plan_parameter(WORKLOAD), Value=PLAN.to_json(), Type="String"
    )
    TableReleaseStore(table, SERIES).publish(RELEASE)
    topic = boto3.client("sns").create_topic(Name="told")["TopicArn"]
    lost = boto3.client("sqs").create_queue(QueueName="undelivered")["QueueUrl"]
    app = cdk.App(outdir=str(root / "cdk.out"))
    stack = cdk.Stack(app, "Stream", env=cdk.Environment(account=settings.account, region=settings.region))
    SparkStream(
        stack,
        "Stream",
        workload=WORKLOAD,
        scale=SparkScale(engine="spark", series=DEVICES, workers=2),
        wheel=build_spark_code("here", root / "build"),
        script=SPARK_SCRIPT,
        places=StreamPlaces(
            bucket=s3.Bucket.from_bucket_name(stack, "Data", DATA),
            key=kms.Key(stack, "Key"),
            pages=s3.Bucket.from_bucket_name(stack, "Pages", PAGES),
            series_table=SERIES,
            anomalies_table=ANOMALIES,
            alert_bus=BUS,
            undelivered_arn=f"arn:aws:sqs:{settings.region}:{settings.account}:{lost.rpartition('/')[2]}",
        ),
        topic=sns.Topic.from_topic_arn(stack, "Topic", topic),
    )
    assembly = app.synth()
    manifest = json.loads((Path(assembly.directory) / "Stream.assets.json").read_text())
    for file in manifest["files"].values():
        for destination in file["destinations"].values():
            path = Path(assembly.directory) / file["source"]["path"]
            client.upload_file(str(path), assets, destination["objectKey"])
    formation = boto3.client("cloudformation")
    body = (Path(assembly.directory) / "Stream.template.json").read_text()
    formation.create_stack(
        StackName="Stream",
        TemplateBody=body,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": "BootstrapVersion", "ParameterValue": layout.plan_parameter(WORKLOAD)}],
    )
    while (status := formation.describe_stacks(StackName="Stream")["Stacks"][0])[
        "StackStatus"
    ] != "CREATE_COMPLETE":
        if "FAILED" in status["StackStatus"] or "ROLLBACK" in status["StackStatus"]:
            raise SystemExit(f"{status['StackStatus']}: {status.get('StackStatusReason')}")
        time.sleep(0.5)


def _put(root: Path, client: Any, interval: int) -> Announced:
    """Write an object as the delivery stream does, and return it as its notification has it."""
    (body,) = objects(interval_lines(DEVICES, interval, late=0.2, repeated=0.2), 10 * DEVICES)
    key, _ = source_of("0", interval, DATA)
    path = root / "data" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    version = client.put_object(Bucket=DATA, Key=key, Body=body)["ETag"].strip('"')
    place = str(ObjectUri(DATA, key))
    source = Source(f"{key}#{version}", layout.hour_of_raw_key(key), key, place, version)
    time.sleep(1)  # the queue gives them in about this order
    return Announced(DATA, key, None, source)


def _scores(client: Any) -> int:
    listed: int = client.list_objects_v2(Bucket=DATA, Prefix=layout.scores_prefix(WORKLOAD))["KeyCount"]
    return listed


def _until(condition: Any, glue: Any, job: str, run: str) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        found = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
        if found["JobRunState"] not in ("STARTING", "RUNNING") or time.monotonic() > end:
            raise SystemExit(f"the run is {found['JobRunState']}: {found.get('ErrorMessage')}")
        time.sleep(1)


def _download(client: Any, root: Path) -> None:
    pages = client.get_paginator("list_objects_v2")
    for prefix in (layout.scores_prefix(WORKLOAD), f"{layout.QUARANTINE}/{WORKLOAD}/"):
        for page in pages.paginate(Bucket=DATA, Prefix=prefix):
            for found in page.get("Contents", []):
                path = root / "data" / found["Key"]
                path.parent.mkdir(parents=True, exist_ok=True)
                client.download_file(DATA, found["Key"], str(path))


if __name__ == "__main__":
    main()
