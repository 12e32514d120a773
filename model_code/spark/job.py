"""What the Glue job runs: `spark.job.main`, from the script `glue_script.py` beside it.

`stream` takes in what the workload's queue announces, without end. `backfill` takes in all objects under a
prefix, and ends: any amount of raw telemetry goes through the same query, with the job's workers. To what
was scored before, backfilled objects are other objects: begin it where the workload has no pages yet.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambdas.adapters import clients
from lambdas.adapters.errors import translated
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.adapters.plan_store import ParameterPlanStore
from lambdas.adapters.release_store import TableReleaseStore
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.scoring.telemetry_object import TelemetryObject
from spark.effects import Places, in_aws
from spark.feed import Feed, Queue, backlog
from spark.query import Report, Stream, started, told
from spark.tasks import Host
from watchkeeper.core import layout
from watchkeeper.core.errors import UnavailableError, WatchkeeperError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import Release

if TYPE_CHECKING:
    from pyspark.sql.streaming import StreamingQuery

logger = logging.getLogger(__name__)

MODES = ("stream", "backfill")
_WAITING_MANIFESTS = 2
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Arguments:
    """Of the job; an argument of Glue's own is passed over."""

    workload: str
    data_bucket: str
    page_bucket: str
    series_table: str
    anomalies_table: str
    alert_bus: str
    queue_url: str
    depth: int
    partitions: int
    mode: str = "stream"
    prefix: str = ""
    """Of the objects of a backfill; without it all of the workload's raw telemetry."""

    @classmethod
    def parse(cls, argv: Sequence[str]) -> Arguments:
        """Read `--data-bucket NAME` and so on."""
        parser = argparse.ArgumentParser()
        for name, kind in cls.__annotations__.items():
            required = not hasattr(cls, name)
            parser.add_argument(
                f"--{name.replace('_', '-')}",
                type=int if kind == "int" else str,
                required=required,
                default=None if required else getattr(cls, name),
                choices=MODES if name == "mode" else None,
            )
        found, _ = parser.parse_known_args(argv)
        return cls(**vars(found))

    @property
    def folder(self) -> ObjectUri:
        """What the stream keeps: a backfill has one of its own for each prefix."""
        part = "stream" if self.mode == "stream" else f"backfill-{layout.short_hash(self.prefix or 'all')}"
        return ObjectUri(self.data_bucket, f"{layout.streams_prefix(self.workload)}{part}/")

    @property
    def manifests(self) -> ObjectUri:
        """Where the query reads."""
        return ObjectUri(self.data_bucket, f"{self.folder.key}manifests/")


@dataclass(frozen=True)
class InForce:
    """Reads the plan and the live release of a workload."""

    workload: str
    plans: ParameterPlanStore
    releases: TableReleaseStore

    def __call__(self) -> tuple[WorkloadPlan, Release | None]:
        release = self.releases.live(self.workload)
        plan = self.plans.plan_of(self.workload)
        if not isinstance(release, Release):
            return plan, None
        return plan, dataclasses.replace(release, moved=self.releases.moved(self.workload))


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    arguments = Arguments.parse(sys.argv[1:] if argv is None else argv)
    places = Places(
        arguments.data_bucket, arguments.page_bucket, arguments.anomalies_table, arguments.alert_bus
    )
    objects = S3ObjectStore(clients.s3())
    in_force = InForce(
        arguments.workload,
        ParameterPlanStore(clients.ssm()),
        TableReleaseStore(clients.dynamodb(), arguments.series_table),
    )
    feed = Feed(Queue(clients.sqs(), arguments.queue_url), objects, arguments.manifests, in_force)
    host = Host(places, in_aws, arguments.depth)
    stream = Stream(str(arguments.manifests), f"{arguments.folder}checkpoint", arguments.partitions)
    progress = Progress(_metrics(arguments.workload))
    if arguments.mode == "backfill":
        announce(feed, objects, arguments)
        query = started(_session(), host, stream, ends=True, report=progress)
        query.awaitTermination()
        return
    # The first look at an empty folder would be refused.
    feed.write([], keeps_pages=False)
    query = started(_session(), host, stream, ends=False, report=progress)
    run(query, feed, progress)


@dataclass
class Progress:
    """Counts micro-batches, and tells what each did."""

    tell: Callable[[Report], None]
    done: int = 0

    def __call__(self, number: int, sums: Report) -> None:
        self.done += 1
        told(number, sums)
        self.tell(sums)


def run(
    query: StreamingQuery, feed: Feed, progress: Progress, pause: Callable[[float], None] = time.sleep
) -> None:
    """Feed the query as long as it runs, and never far ahead of it: what waits in the queue is safe there.

    Raises
    ------
    StreamingQueryException
        As the query ended with one.
    """
    while query.isActive:
        if feed.written - progress.done >= _WAITING_MANIFESTS:
            pause(_PAUSE_SECONDS)
            continue
        try:
            feed.forget(progress.done)
            made = feed.make()
        except UnavailableError as error:
            logger.warning("the feed tries again: %s", error)
            made = 0
        if not made:
            pause(_PAUSE_SECONDS)
    query.awaitTermination()


def announce(feed: Feed, objects: ObjectStore, arguments: Arguments) -> None:
    """Write the manifests of a backfill, unless an earlier start of it did."""
    if objects.any_under(arguments.manifests):
        return
    prefix = arguments.prefix or layout.raw_prefix(arguments.workload)
    found = [
        TelemetryObject(arguments.data_bucket, key, "backfill")
        for key in objects.keys_under(ObjectUri(arguments.data_bucket, prefix))
    ]
    parts = list(backlog(found))
    for number, part in enumerate(parts, start=1):
        feed.write(part, keeps_pages=number == len(parts))


def _metrics(workload: str) -> Callable[[Report], None]:
    client = clients.cloudwatch()
    dimensions: Any = [
        {"Name": "service", "Value": "score_telemetry"},
        {"Name": "workload", "Value": workload},
    ]
    names = {
        "scored": "intervals_scored",
        "unscored": "intervals_without_score",
        "anomalies": "anomalies",
        "dropped": "intervals_dropped",
    }

    def tell(sums: Report) -> None:
        data: Any = [
            {"MetricName": metric, "Dimensions": dimensions, "Unit": "Count", "Value": float(sums[name])}
            for name, metric in names.items()
        ]
        # A measurement that is lost harms nothing.
        with contextlib.suppress(WatchkeeperError), translated("put metrics"):
            client.put_metric_data(Namespace=METRICS_NAMESPACE, MetricData=data)

    return tell


def _session() -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()
