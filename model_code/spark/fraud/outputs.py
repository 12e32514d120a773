"""What a run keeps of the processing: Parquet for training, files for a graph database, what was refused.

Everything is below the run's own prefix and replaces what an earlier attempt left there; `DONE` is written
last and removed first, so that what is half written has none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

ROWS_A_FILE = 20_000
"""Of `transactions/`: a step that loads the graph reads a file at a time."""
TRANSACTIONS, EDGES, REFUSED, GRAPH = "transactions", "edges", "refused", "graph"
STATISTICS, DONE = "statistics.json", "_DONE"
COLUMNS = (
    *("id", "time", "amount", "numeric", "categorical", "entities"),
    *("label", "known_at", "split", "x"),
)


def write_transactions(transactions: DataFrame, n: int, folder: str) -> None:
    """Write Parquet in the order of (time, id): that of the files' names, and of the rows in each."""
    ordered = transactions.select(*COLUMNS).repartitionByRange(max(1, -(-n // ROWS_A_FILE)), "time", "id")
    writer = ordered.sortWithinPartitions("time", "id").write.mode("overwrite")
    writer.option("maxRecordsPerFile", ROWS_A_FILE).parquet(f"{folder}{TRANSACTIONS}")


def write_edges(edges: DataFrame, plan: FraudPlan, folder: str) -> None:
    """Write an edge list for each relation."""
    named = edges.withColumn("relation", _relation_name(plan))
    listed = named.select("relation", "id", "time", "entity").repartition("relation")
    listed.write.mode("overwrite").partitionBy("relation").parquet(f"{folder}{EDGES}")


def write_refused(rows: DataFrame, folder: str) -> None:
    """Write what is left out of the graph, with the reason, as JSON lines."""
    columns = ("reason", "message", "id", "file", "source")
    rows.select(*columns).write.mode("overwrite").option("compression", "gzip").json(f"{folder}{REFUSED}")


def write_graph(transactions: DataFrame, edges: DataFrame, plan: FraudPlan, folder: str) -> None:
    """Write nodes and edges as Neptune's bulk loader reads them; ids are what each is, so that a load may be
    repeated."""
    from pyspark.sql import functions as sql

    nodes = transactions.select(
        _node(sql.lit("transaction"), sql.col("id")).alias("~id"),
        sql.lit("Transaction").alias("~label"),
        sql.col("id").alias("id:String(single)"),
        sql.col("time").alias("time:Double(single)"),
        sql.col("amount").alias("amount:Double(single)"),
        sql.col("label").cast("int").alias("label:Int(single)"),
        sql.col("known_at").alias("known_at:Double(single)"),
        sql.array_join(sql.transform("x", lambda value: value.cast("string")), " ").alias("x:String(single)"),
    )
    relation = _relation_name(plan)
    entity = _node(relation, sql.col("entity"))
    entities = edges.select(
        entity.alias("~id"),
        sql.lit("Entity").alias("~label"),
        relation.alias("relation:String(single)"),
        sql.col("entity").alias("key:String(single)"),
    ).dropDuplicates(["~id"])
    shares = edges.select(
        _node(relation, sql.concat_ws("/", "entity", "id")).alias("~id"),
        _node(sql.lit("transaction"), sql.col("id")).alias("~from"),
        entity.alias("~to"),
        relation.alias("~label"),
        sql.col("time").alias("time:Double"),
    )
    for name, frame in (("transactions", nodes), ("entities", entities), ("edges", shares)):
        writer = frame.write.mode("overwrite").option("header", "true").option("escape", '"')
        writer.option("compression", "gzip").csv(f"{folder}{GRAPH}/{name}")


def feature_statistics(spark: SparkSession, plan: FraudPlan, folder: str) -> dict[str, Any]:
    """Return what each feature is in the training part, from what was written, in one pass."""
    names = schema_of(plan).names
    vectors = spark.read.parquet(f"{folder}{TRANSACTIONS}").where("split = 'train'").select("x")
    partial = vectors.mapInArrow(_sums, "sums array<double>").collect()
    sums = np.array([row.sums for row in partial], np.float64).reshape(len(partial), 6, -1)
    if not len(sums):
        return {}
    there = sums[:, 0].sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums[:, 2].sum(axis=0) / there
        deviation = np.sqrt(np.maximum(sums[:, 3].sum(axis=0) / there - mean**2, 0.0))
    columns = {
        **{"missing": 1.0 - there / sums[:, 1].sum(axis=0), "mean": mean, "standard_deviation": deviation},
        **{"least": sums[:, 4].min(axis=0), "most": sums[:, 5].max(axis=0)},
    }
    return {
        name: {what: _number(values[at]) for what, values in columns.items()} for at, name in enumerate(names)
    }


def write_text(spark: SparkSession, path: str, text: str) -> None:
    """Write a small file."""
    stream = _system(spark, path).create(_path(spark, path), True)
    try:
        stream.write(bytearray(text.encode()))
    finally:
        stream.close()


def write_statistics(spark: SparkSession, folder: str, statistics: Mapping[str, Any]) -> None:
    """Write `statistics.json`, and the mark that all is there."""
    write_text(spark, f"{folder}{STATISTICS}", json.dumps(statistics, indent=1, allow_nan=False))
    write_text(spark, f"{folder}{DONE}", "")


def begin(spark: SparkSession, folder: str) -> None:
    """Remove the mark of an earlier attempt."""
    _system(spark, folder).delete(_path(spark, f"{folder}{DONE}"), False)


def _sums(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield for a batch of vectors: how many are there, all, sum, squares, least, most."""
    for batch in batches:
        if batch.num_rows:
            x = np.asarray(batch.column(0).flatten()).reshape(batch.num_rows, -1).astype(np.float64)
            there = ~np.isnan(x)
            filled = np.where(there, x, 0.0)
            found = [
                there.sum(axis=0),
                np.full(x.shape[1], batch.num_rows),
                filled.sum(axis=0),
                (filled**2).sum(axis=0),
                np.where(there, x, np.inf).min(axis=0),
                np.where(there, x, -np.inf).max(axis=0),
            ]
            sums = pa.array([np.concatenate(found).tolist()], pa.list_(pa.float64()))
            yield pa.RecordBatch.from_arrays([sums], ["sums"])


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _relation_name(plan: FraudPlan) -> Any:
    from pyspark.sql import functions as sql

    return sql.array(*(sql.lit(relation.name) for relation in plan.relations))[sql.col("relation")]


def _node(kind: Any, key: Any) -> Any:
    from pyspark.sql import functions as sql

    return sql.concat_ws("/", kind, key)


def _path(spark: SparkSession, path: str) -> Any:
    jvm: Any = spark.sparkContext._jvm
    return jvm.org.apache.hadoop.fs.Path(path)


def _system(spark: SparkSession, path: str) -> Any:
    return _path(spark, path).getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
