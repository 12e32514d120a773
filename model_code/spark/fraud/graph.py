"""From rows to transactions with vectors: join, one row an id, histories of entities, parts in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spark.fraud.rows import BROKEN, FILE, FRAUD, LEGITIMATE, ORIGIN, PARSED, UNKNOWN, read
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.split import PARTS, boundaries_of, parts_of
from watchkeeper.fraud.table import Labels, history_features, relation_history

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame

EDGES_A_BUCKET = 50_000
"""Of a task that makes histories: its memory follows from them."""
VERDICTS = {FRAUD: 1, LEGITIMATE: -1, UNKNOWN: 0}
_SPARK_TYPES = {
    **{pa.string(): "string", pa.float64(): "double", pa.float32(): "float", pa.int8(): "tinyint"},
    **{
        pa.list_(kind): f"array<{name}>" for kind, name in ((pa.float64(), "double"), (pa.string(), "string"))
    },
    pa.list_(pa.float32()): "array<float>",
}


def with_identities(rows: DataFrame, identities: DataFrame | None, plan: FraudPlan) -> DataFrame:
    """Return the rows of transactions with what the second table says of some of them.

    An id is the same with and without a fraction of zeros. Of several rows for one id one is taken.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as sql

    key = plan.history.files.identity_key
    if identities is None or key is None:
        return rows
    others = [name for name in identities.columns if name not in (key, BROKEN, FILE, ORIGIN)]
    order = Window.partitionBy("_key").orderBy(sql.xxhash64(*others))
    once = (
        identities.select(_id_of(key).alias("_key"), *others)
        .where("_key IS NOT NULL")
        .withColumn("_number", sql.row_number().over(order))
        .where("_number = 1")
        .drop("_number")
    )
    return rows.withColumn("_key", _id_of(plan.id_field)).join(once, "_key", "left").drop("_key")


def parsed(rows: DataFrame, plan: FraudPlan) -> DataFrame:
    """Return rows of text as `spark.fraud.rows.read` reads them."""

    def read_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return (read(batch, plan) for batch in batches if batch.num_rows)

    types = ", ".join(f"{field.name} {_SPARK_TYPES[field.type]}" for field in PARSED)
    return rows.mapInArrow(read_batches, types)


def one_an_id(rows: DataFrame) -> DataFrame:
    """Return read rows, each but the first of an id with the reason why it is left out.

    What the history has of an id comes before what the API has. `superseded` and `repeated` rows lose
    nothing: the same transaction is there. A `duplicate_id` has other content, and is refused.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as sql

    content = sql.xxhash64("time", "amount", "numeric", "categorical", "entities", "label")
    of_id = Window.partitionBy("id", sql.col("reason").isNotNull())
    order = of_id.orderBy("origin", "time", "content")
    number, first = sql.row_number().over(order), sql.first("content").over(order)
    left_out = (
        sql.when(sql.col("reason").isNotNull(), sql.col("reason"))
        .when(number == 1, None)
        .when(sql.col("origin") == 1, "superseded")
        .when(sql.col("content") == first, "repeated")
        .otherwise("duplicate_id")
    )
    said = sql.when(
        left_out == "duplicate_id",
        sql.concat(sql.lit("id "), sql.col("id"), sql.lit(" is there with other content; which is right?")),
    ).otherwise(sql.col("message"))
    written = sql.when(
        left_out == "duplicate_id", sql.to_json(sql.struct("id", "time", "amount", "entities"))
    )
    return (
        rows.withColumn("content", content)
        .withColumn("left_out", left_out)
        .withColumn("message", said)
        .withColumn("source", sql.coalesce("source", written))
        .drop("content", "reason")
        .withColumnRenamed("left_out", "reason")
    )


def with_live_labels(transactions: DataFrame, labels: DataFrame | None) -> DataFrame:
    """Return transactions with the labels that the API was told: they win over the history's."""
    from pyspark.sql import functions as sql

    if labels is None:
        return transactions
    joined = transactions.join(labels, "id", "left")
    told = sql.col("live_label").isNotNull()
    return (
        joined.withColumn("label", sql.when(told, sql.col("live_label")).otherwise(sql.col("label")))
        .withColumn(
            "known_at", sql.when(told, sql.greatest("live_known_at", "time")).otherwise(sql.col("known_at"))
        )
        .drop("live_label", "live_known_at")
    )


def edges_of(transactions: DataFrame, plan: FraudPlan) -> DataFrame:
    """Return a row for each entity of each transaction: `relation` is its number in the plan."""
    from pyspark.sql import functions as sql

    columns = ["id", "time", sql.col("row")[0].alias("log_amount"), "label", "known_at"]
    exploded = transactions.select(*columns, sql.posexplode("entities").alias("relation", "entity"))
    return exploded.where("entity IS NOT NULL")


def histories(edges: DataFrame, n_edges: int, plan: FraudPlan) -> DataFrame:
    """Return the as-of features of each edge: `id`, `relation`, `features`."""
    from pyspark.sql import functions as sql

    buckets = max(1, n_edges // EDGES_A_BUCKET)
    bucket = sql.pmod(sql.xxhash64("relation", "entity"), sql.lit(buckets)).alias("bucket")

    def of_bucket(frame: pd.DataFrame) -> pd.DataFrame:
        return bucket_histories(frame, plan.neighbours)

    return edges.groupBy(bucket).applyInPandas(of_bucket, "id string, relation int, features array<float>")


def bucket_histories(frame: pd.DataFrame, neighbours: int) -> pd.DataFrame:
    """Return the as-of features of the edges of some entities, all edges of each.

    Parameters
    ----------
    frame
        Columns `id`, `time`, `log_amount`, `label`, `known_at`, `relation`, `entity`.
    """
    verdicts = frame["label"].map(VERDICTS).to_numpy(np.int8)
    codes = frame.groupby(["relation", "entity"], sort=False).ngroup().to_numpy()
    times = frame["time"].to_numpy(np.float64)
    labels = Labels(verdicts, frame["known_at"].fillna(np.inf).to_numpy(np.float64))
    history = relation_history(codes, times, frame["id"].to_numpy(str), labels, neighbours)
    features = history_features(history, times, frame["log_amount"].to_numpy(np.float32))
    return frame[["id", "relation"]].assign(features=list(features.astype(np.float32)))


def with_vectors(transactions: DataFrame, of_edges: DataFrame, plan: FraudPlan) -> DataFrame:
    """Return transactions with `x`, the whole vector, in place of `row`."""
    from pyspark.sql import functions as sql

    by_id = of_edges.groupBy("id").agg(
        sql.map_from_entries(sql.collect_list(sql.struct("relation", "features"))).alias("by_relation")
    )
    nothing = sql.array_repeat(sql.lit(float("nan")).cast("float"), _width(plan))
    parts = [
        sql.coalesce(sql.col("by_relation").getItem(number), nothing) for number in range(len(plan.relations))
    ]
    joined = transactions.join(by_id, "id", "left")
    return joined.withColumn("x", sql.concat("row", *parts)).drop("row", "by_relation")


def with_parts(transactions: DataFrame, boundaries: tuple[float, float]) -> DataFrame:
    """Return transactions with their part of the split."""
    import pandas as pd
    from pyspark.sql import functions as sql

    def part(times: pd.Series, labels: pd.Series, known_at: pd.Series) -> pd.Series:
        known = Labels(labels.map(VERDICTS).to_numpy(np.int8), known_at.fillna(np.inf).to_numpy())
        return pd.Series(np.array(PARTS)[parts_of(times.to_numpy(), known, boundaries)])

    # the annotations of this module are text, so that Spark cannot read the kind of the function from them
    of_rows = sql.pandas_udf(part, "string", sql.PandasUDFType.SCALAR)
    return transactions.withColumn("split", of_rows("time", "label", "known_at"))


def boundaries(transactions: DataFrame, plan: FraudPlan) -> tuple[float, float]:
    """Return the times at which validation and test begin."""
    times = transactions.select("time").toPandas()["time"].to_numpy()
    return boundaries_of(times, plan.history.split)


def _width(plan: FraudPlan) -> int:
    first = schema_of(plan).as_of[0]
    return len(range(first.start, first.stop))


def _id_of(column: str) -> Any:
    from pyspark.sql import functions as sql

    trimmed = sql.trim(sql.col("`" + column.replace("`", "``") + "`"))
    return sql.when(trimmed != "", sql.regexp_replace(trimmed, r"^(-?[0-9]+)\.0+$", "$1"))
