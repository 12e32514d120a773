"""Files of the history, and what the API exported, as columns of text with the plan's names.

Schemas are explicit: every column is text, as the file has it. The header of each file is read first, so that
files whose columns are in another order are read by their own.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark.fraud.rows import BROKEN, FILE, ORIGIN, input_columns
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.tables import Table, check_columns, check_key, table_of
from watchkeeper.telemetry.csv_rows import found_delimiter, refuse_repeated

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_HEAD_LINES = 12
_PACKED = 6
"""How much larger a packed file is when it is read."""
_WHOLE = 1e15
"""Below it, a whole number of floating point has all its digits."""
_SUFFIXES = {".csv": "csv", ".txt": "csv", ".tsv": "csv", ".jsonl": "json", ".ndjson": "json"}
LIVE_SCHEMA = "id string, transaction map<string,string>, label boolean, known_at double"


@dataclass(frozen=True)
class Source:
    """A file: how it is written, and its columns; a file of JSON lines has none that are known before."""

    path: str
    kind: str
    header: tuple[str, ...] = ()
    delimiter: str = ","


def transactions(spark: SparkSession, folder: str, plan: FraudPlan) -> tuple[DataFrame, DataFrame | None]:
    """Return the rows of both tables of the history, not yet joined.

    Raises
    ------
    InvalidInputError
        If there is no file of transactions, or one lacks a column of the plan.
    """
    found = defaultdict(list)
    for path in files_below(spark, folder):
        table = table_of(path.rpartition("/")[2], plan)
        if table is not None:
            found[table].append(_source(spark, path, plan))
    if not found["transactions"]:
        raise InvalidInputError(
            f"{folder} has no file of transactions named {plan.history.files.transactions!r}: upload the "
            "history with `watchkeeper train NAME --history FILE`",
            reason="no_history",
        )
    _check(found, plan)
    key = plan.history.files.identity_key
    of_identities = {column for source in found["identities"] for column in source.header if column != key}
    own = [name for name in input_columns(plan) if name not in of_identities]
    rows = _union(_texts(spark, sources, own) for sources in _alike(found["transactions"]))
    if not found["identities"] or key is None:
        return rows, None
    names = [key, *(name for name in input_columns(plan) if name in of_identities)]
    return rows, _union(_texts(spark, sources, names) for sources in _alike(found["identities"]))


def live_transactions(
    spark: SparkSession, folder: str, plan: FraudPlan
) -> tuple[DataFrame, DataFrame] | None:
    """Return the transactions that came through the API, as rows of text, and the labels that did.

    Returns
    -------
    rows, labels
        Labels have `id`, `live_label` and `live_known_at`, each id once. None if the API exported nothing.
    """
    from pyspark.sql import functions as sql

    paths = list(files_below(spark, folder))
    if not paths:
        return None
    lines = spark.read.schema(LIVE_SCHEMA).json(paths)
    # a label is what was told of a transaction, not what came with it
    fields = {name: sql.col("transaction").getItem(name) for name in plan.fields}
    fields[plan.label.field] = sql.lit(None).cast("string")
    rows = lines.where("transaction IS NOT NULL").select(
        *(column.alias(name) for name, column in fields.items()),
        sql.lit(None).cast("string").alias(BROKEN),
        sql.lit("live").alias(FILE),
        sql.lit(1).cast("byte").alias(ORIGIN),
    )
    latest = sql.max(sql.struct("known_at", sql.col("label").cast("byte").alias("label"))).alias("latest")
    labels = lines.where("label IS NOT NULL").groupBy("id").agg(latest)
    return rows, labels.select("id", "latest.known_at", "latest.label").toDF(
        "id", "live_known_at", "live_label"
    )


def size_below(spark: SparkSession, folder: str) -> int:
    """Return how many bytes are below a folder, about: those of packed files count more."""
    return sum(
        size * (_PACKED if path.endswith((".gz", ".parquet", ".pq")) else 1)
        for path, size in _listed(spark, folder)
    )


def files_below(spark: SparkSession, folder: str) -> Iterator[str]:
    """Yield the paths of files below a folder, in order; none if there is no such folder."""
    return (path for path, _ in _listed(spark, folder))


def _listed(spark: SparkSession, folder: str) -> list[tuple[str, int]]:
    jvm: Any = spark.sparkContext._jvm
    path = jvm.org.apache.hadoop.fs.Path(folder)
    system = path.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
    if not system.exists(path):
        return []
    listed, found = [path], []
    while listed:
        for status in system.listStatus(listed.pop()):
            if status.isDirectory():
                listed.append(status.getPath())
            elif status.getLen() and not status.getPath().getName().startswith(("_", ".")):
                found.append((status.getPath().toString(), status.getLen()))
    return sorted(found)


def _source(spark: SparkSession, path: str, plan: FraudPlan) -> Source:
    name = path.removesuffix(".gz")
    if name.endswith((".parquet", ".pq")):
        return Source(path, "parquet", tuple(spark.read.parquet(path).columns))
    kind = next((kind for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)), None)
    if kind is None:
        raise InvalidInputError(
            f"{path}: its name must end in {', '.join(_SUFFIXES)}, each also with .gz, or .parquet",
            reason="unknown_format",
        )
    if kind == "json":
        return Source(path, kind)
    head = [row.value for row in spark.read.text(path).take(_HEAD_LINES)]
    if not head:
        return Source(path, kind)
    head[0] = head[0].removeprefix("\ufeff")
    delimiter = plan.history.dialect.delimiter or found_delimiter(head)
    header = next(csv.reader(head[:1], delimiter=delimiter, skipinitialspace=True))
    names = tuple(cell.strip() for cell in header)
    refuse_repeated(path, names)
    return Source(path, kind, names, delimiter)


def _check(found: dict[Table, list[Source]], plan: FraudPlan) -> None:
    for source in found["identities"]:
        if source.kind != "json":
            check_key(source.path, plan, source.header)
    headers = {column: None for source in found["identities"] for column in source.header}
    identities = list(headers) if found["identities"] else None
    for source in found["transactions"]:
        if source.kind != "json":
            check_columns(source.path, source.header, plan, identities)


def _alike(sources: Sequence[Source]) -> list[list[Source]]:
    """Group files that are read together: of the same columns, written the same way."""
    groups = defaultdict(list)
    for source in sources:
        groups[source.kind, source.header, source.delimiter].append(source)
    return list(groups.values())


def _texts(spark: SparkSession, sources: Sequence[Source], names: Sequence[str]) -> DataFrame:
    """Return columns of text; one that the files lack is empty."""
    from pyspark.sql import functions as sql

    first, paths = sources[0], [source.path for source in sources]
    nothing = sql.lit(None).cast("string")
    broken = nothing
    if first.kind == "parquet":
        frame = spark.read.parquet(*paths)
        kinds = dict(frame.dtypes)
        cells = {name: _as_text(name, kinds[name]) for name in names if name in kinds}
    elif first.kind == "json":
        frame = spark.read.text(paths).withColumn("fields", sql.from_json("value", "map<string,string>"))
        cells = {name: sql.col("fields").getItem(name) for name in names}
        broken = sql.when(sql.col("fields").isNull(), sql.col("value"))
    else:
        frame = _csv(spark, first, paths)
        cells = {name: _quoted(name) for name in names if name in first.header}
        broken = _quoted(BROKEN)
    return frame.select(
        *(cells.get(name, nothing).alias(name) for name in names),
        broken.alias(BROKEN),
        sql.input_file_name().alias(FILE),
        sql.lit(0).cast("byte").alias(ORIGIN),
    )


def _csv(spark: SparkSession, source: Source, paths: list[str]) -> DataFrame:
    from pyspark.sql.types import StringType, StructField, StructType

    fields = [StructField(name or f"column_{at}", StringType()) for at, name in enumerate(source.header, 1)]
    options = {
        **{"header": "true", "sep": source.delimiter, "quote": '"', "escape": '"', "mode": "PERMISSIVE"},
        **{"columnNameOfCorruptRecord": BROKEN, "ignoreLeadingWhiteSpace": "true", "maxCharsPerColumn": "-1"},
    }
    schema = StructType([*fields, StructField(BROKEN, StringType())])
    return spark.read.schema(schema).options(**options).csv(paths)


def _as_text(name: str, kind: str) -> Column:
    """Write a typed column as a file of text would have it."""
    from pyspark.sql import functions as sql

    column = _quoted(name)
    if kind in ("double", "float"):
        number = column.cast("double")
        whole = (number == sql.floor(number)) & (sql.abs(number) < _WHOLE)
        text = sql.when(whole, number.cast("bigint").cast("string")).otherwise(number.cast("string"))
        return sql.when(sql.isnan(number), sql.lit(None)).otherwise(text)
    if kind == "timestamp":
        return sql.date_format(column, "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX")
    return column.cast("string")


def _quoted(name: str) -> Column:
    from pyspark.sql import functions as sql

    return sql.col("`" + name.replace("`", "``") + "`")


def _union(frames: Iterator[DataFrame]) -> DataFrame:
    whole = next(frames)
    for frame in frames:
        whole = whole.unionByName(frame)
    return whole
