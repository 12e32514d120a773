"""The Glue job of a training run: the tables of a workload's history, and what came through the API, become
transactions with vectors, edges, and statistics."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark.fraud import graph, outputs, sources
from spark.fraud.rows import FRAUD, LEGITIMATE, UNKNOWN
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.fraud.features import DAY_SECONDS
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.split import PARTS
from watchkeeper.telemetry.tally import Tally

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

logger = logging.getLogger(__name__)

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # a row may have hundreds of columns
    "spark.sql.execution.arrow.maxRecordsPerBatch": "5000",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}
"""Of Spark's session."""
BYTES_A_TASK = 32 * 2**20
LABELS = {FRAUD: "fraud", LEGITIMATE: "legitimate", UNKNOWN: "unknown"}
NOT_LOST = ("superseded", "repeated")
"""Reasons of rows whose transaction is there all the same."""
_FOLDER = "processed/"
_LIVE = "live/"


@dataclass(frozen=True)
class Arguments:
    """Of a run; an argument of Glue's own is passed over."""

    run_prefix: str
    """`s3://BUCKET/runs/NAME/RUN/`."""
    plan_uri: str
    window: str = "/"
    """`START/END`, ISO 8601, either of which may be empty: transactions of this time alone are read."""

    @classmethod
    def parse(cls, argv: Sequence[str]) -> Arguments:
        """Read `--run-prefix URI` and so on."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--run-prefix", required=True)
        parser.add_argument("--plan-uri", required=True)
        parser.add_argument("--window", default=cls.window)
        found, _ = parser.parse_known_args(argv)
        return cls(**vars(found))

    @property
    def folder(self) -> str:
        """Where the results go."""
        return f"{self.run_prefix}{_FOLDER}"

    @property
    def live(self) -> str:
        """What the API exported for this run."""
        return f"{self.run_prefix}{_LIVE}"

    def history(self, workload: str) -> str:
        """Return where the workload's tables are."""
        return f"{self.run_prefix.partition(layout.runs_of(workload))[0]}{layout.history_prefix(workload)}"

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The window in epoch seconds: transactions from the first on, and before the second."""
        start, _, end = self.window.partition("/")
        first, last = (parse_instant(text).timestamp() if text else None for text in (start, end))
        return first, last


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job."""
    from pyspark.sql import SparkSession

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    arguments = Arguments.parse(sys.argv[1:] if argv is None else argv)
    builder = SparkSession.builder.appName("watchkeeper-process")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    process(builder.getOrCreate(), arguments)


def process(spark: SparkSession, arguments: Arguments) -> dict[str, Any]:
    """Process a run, and return its statistics.

    Raises
    ------
    InvalidInputError
        If the history cannot be trained on: a file or column is missing, too many rows are refused, or a
        relation is one of hubs. What is refused is written before.
    """
    begun = time.monotonic()
    folder = arguments.folder
    outputs.begin(spark, folder)
    text = spark.read.text(arguments.plan_uri, wholetext=True).first().value
    plan = FraudPlan.from_json(text)
    _divide(spark, sources.size_below(spark, arguments.history(plan.workload)))
    rows, labels = _rows(spark, arguments, plan)
    whole = graph.one_an_id(graph.parsed(rows, plan)).persist()
    read = _tally(whole)
    outputs.write_refused(whole.where("reason IS NOT NULL"), folder)
    logger.info(read.tally.sentence("transactions"))
    read.tally.check(plan.history.max_refused_share, "transactions")
    accepted = whole.where("reason IS NULL").drop("reason", "message", "source", "file", "origin")
    transactions = _within(graph.with_live_labels(accepted, labels), arguments, plan).persist()
    n = transactions.count()
    if not n:
        raise InvalidInputError(f"no transaction is in the window {arguments.window}", reason="too_few_rows")
    edges = graph.edges_of(transactions, plan)
    relations = relation_statistics(edges, plan)
    check_hubs(relations, plan)
    of_edges = graph.histories(edges, sum(each["edges"] for each in relations.values()), plan)
    boundaries = graph.boundaries(transactions, plan)
    done = graph.with_parts(graph.with_vectors(transactions, of_edges, plan), boundaries)
    outputs.write_transactions(done, n, folder)
    outputs.write_edges(edges, plan, folder)
    written = spark.read.parquet(f"{folder}{outputs.TRANSACTIONS}")
    parts = part_statistics(written)
    check_parts(parts, plan)
    if plan.store == "neptune":
        outputs.write_graph(written, edges, plan, folder)
    statistics = {
        "rows": read.counts,
        "transactions": n,
        "parts": parts,
        "boundaries": list(boundaries),
        "relations": relations,
        "features": outputs.feature_statistics(spark, plan, folder),
        "seconds": round(time.monotonic() - begun, 1),
    }
    outputs.write_statistics(spark, folder, statistics)
    logger.info("%s transactions in %s s", f"{n:,}", statistics["seconds"])
    return statistics


def relation_statistics(edges: DataFrame, plan: FraudPlan) -> dict[str, dict[str, int]]:
    """Return for each relation its entities, its edges, and those of its largest entity."""
    from pyspark.sql import functions as sql

    degrees = edges.groupBy("relation", "entity").count()
    sums = [
        sql.count("*").alias("entities"),
        sql.sum("count").alias("edges"),
        sql.max("count").alias("largest"),
    ]
    found = {row.relation: row for row in degrees.groupBy("relation").agg(*sums).collect()}
    nothing = {"entities": 0, "edges": 0, "largest": 0}
    return {
        relation.name: {name: int(found[at][name]) for name in nothing} if at in found else nothing
        for at, relation in enumerate(plan.relations)
    }


def check_hubs(relations: dict[str, dict[str, int]], plan: FraudPlan) -> None:
    """Refuse relations whose entities nearly every transaction shares.

    Raises
    ------
    InvalidInputError
        With reason `hub`, naming all of them.
    """
    hubs = [name for name, found in relations.items() if found["entities"] < plan.least_entities]
    if not hubs:
        return
    said = ", ".join(f"{name} has {relations[name]['entities']} different values" for name in hubs)
    raise InvalidInputError(
        f"relations of few values are hubs, at least {plan.least_entities} are needed: {said}; move their "
        "columns to features.categorical, or lower graph.least_entities",
        reason="hub",
    )


def part_statistics(transactions: DataFrame) -> dict[str, dict[str, int]]:
    """Return for each part of the split how many transactions are fraud, legitimate, and not known."""
    counts = {part: dict.fromkeys(LABELS.values(), 0) for part in PARTS}
    for row in transactions.groupBy("split", "label").count().collect():
        counts[row["split"]][LABELS[row["label"]]] = row["count"]
    return counts


def check_parts(parts: dict[str, dict[str, int]], plan: FraudPlan) -> None:
    """Refuse a history in which a part has nothing to learn from, or to judge by.

    Raises
    ------
    InvalidInputError
        With reason `too_few_rows`.
    """
    for part in PARTS[1:]:
        for label in (LABELS[FRAUD], LABELS[LEGITIMATE]):
            if not parts[part][label]:
                days = plan.label.delay_seconds / DAY_SECONDS
                raise InvalidInputError(
                    f"the {part} part has no {label} transaction whose label is known by the part's end, "
                    f"and labels come {days:g} days after transactions: give the part more of the history "
                    "(split), or more history to the run",
                    reason="too_few_rows",
                )


@dataclass(frozen=True)
class _Read:
    tally: Tally
    counts: dict[str, int]


def _divide(spark: SparkSession, size: int) -> None:
    """Set how many parts a shuffle has: as many as let a task's rows fit into memory."""
    parts = max(spark.sparkContext.defaultParallelism, size // BYTES_A_TASK)
    spark.conf.set("spark.sql.shuffle.partitions", str(parts))


def _rows(spark: SparkSession, arguments: Arguments, plan: FraudPlan) -> tuple[DataFrame, DataFrame | None]:
    tables = sources.transactions(spark, arguments.history(plan.workload), plan)
    rows = graph.with_identities(*tables, plan)
    live = sources.live_transactions(spark, arguments.live, plan)
    return (rows, None) if live is None else (rows.unionByName(live[0]), live[1])


def _tally(rows: DataFrame) -> _Read:
    """Count rows by what became of them; those that lose nothing are not refused."""
    from pyspark.sql import functions as sql

    first = sql.min(sql.struct("file", "message")).alias("first")
    found = rows.groupBy("reason").agg(sql.count("*").alias("count"), first).collect()
    tally = Tally()
    counts = {"read": 0, "accepted": 0}
    for row in sorted(found, key=lambda row: -row["count"]):
        counts["read"] += row["count"]
        counts[row.reason or "accepted"] = row["count"]
        tally.read += row["count"]
        if row.reason is None:
            tally.accepted = row["count"]
        elif row.reason not in NOT_LOST:
            tally.refused[row.reason] = row["count"]
            tally.first_refusal = tally.first_refusal or f"{row['first'].file}: {row['first'].message}"
    return _Read(tally, counts)


def _within(transactions: DataFrame, arguments: Arguments, plan: FraudPlan) -> DataFrame:
    first, last = arguments.bounds
    if last is not None:
        transactions = transactions.where(f"time < {last!r}")
    if plan.history.window_seconds is not None:
        newest = transactions.selectExpr("max(time) AS time").first().time
        if newest is not None:
            since = newest - plan.history.window_seconds
            first = since if first is None else max(first, since)
    return transactions if first is None else transactions.where(f"time >= {first!r}")
