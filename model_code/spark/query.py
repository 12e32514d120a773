"""The streaming query: manifests in, the step by key, what it did out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark.tasks import PARCEL_ROW, REPORT, STATE, Host

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming import StreamingQuery

_MANIFEST = "context string, objects array<string>"
_STATE_STORE = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
_ROWS_OF_ARROW = 64
"""A row may have megabytes."""
SETTINGS = {
    "spark.sql.streaming.stateStore.providerClass": _STATE_STORE,
    # Only what a micro-batch changed is written, and a whole snapshot now and then.
    "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
    "spark.sql.streaming.minBatchesToRetain": "4",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(_ROWS_OF_ARROW),
    "spark.sql.streaming.metricsEnabled": "false",
}
"""Of Spark's session."""

Report = dict[str, int]


@dataclass(frozen=True)
class Stream:
    """Where a query reads manifests and keeps its checkpoint."""

    manifests: str
    checkpoint: str
    partitions: int
    """Of the state: fixed by the first start on a checkpoint."""


def started(
    spark: SparkSession,
    host: Host,
    stream: Stream,
    *,
    ends: bool,
    every: str = "1 second",
    report: Callable[[int, Report], None],
) -> StreamingQuery:
    """Start the query.

    Parameters
    ----------
    ends
        Whether it ends when the manifests that are there are done; else it runs until it is stopped.
    every
        Time between two looks for manifests.
    report
        Told the number of each micro-batch and the sums of what it did.
    """
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    spark.conf.set("spark.sql.shuffle.partitions", str(stream.partitions))
    functions = _functions()
    manifests = (
        spark.readStream.format("text")
        .option("wholetext", "true")
        .option("maxFilesPerTrigger", 1)
        .load(stream.manifests)
        .select(functions.from_json("value", _MANIFEST).alias("manifest"))
    )
    objects = manifests.select(
        "manifest.context", functions.posexplode("manifest.objects").alias("position", "object")
    ).repartition(stream.partitions, "position")
    reports = (
        objects.mapInPandas(host.fetch, PARCEL_ROW)
        .groupBy("key")
        .applyInPandasWithState(host.take_in, REPORT, STATE, "update", "NoTimeout")
    )

    def tell(batch: DataFrame, number: int) -> None:
        rows = batch.collect()
        sums = {name: sum(row[name] for row in rows) for name in _REPORTED}
        report(number, {**sums, "keys": len(rows)})

    writer = reports.writeStream.outputMode("update").foreachBatch(tell)
    writer = writer.option("checkpointLocation", stream.checkpoint)
    trigger: dict[str, Any] = {"availableNow": True} if ends else {"processingTime": every}
    return writer.trigger(**trigger).start()


_REPORTED = ("objects", "scored", "unscored", "anomalies", "late", "dropped")


def told(number: int, sums: Report) -> None:
    """Write what a micro-batch did to the job's output, as JSON."""
    sys.stdout.write(json.dumps({"batch": number, **sums}) + "\n")
    sys.stdout.flush()


def _functions() -> Any:
    from pyspark.sql import functions

    return functions
