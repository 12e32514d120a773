"""How the loop in Spark grows: seconds an interval, and memory, from a thousand series to a million.

`python -m benchmarks.scale.growth [SERIES …]`: `local[2]`, objects of 50,000 lines, a micro-batch an
interval, three of them. Seconds are those of the last, which takes in an interval and scores one; memory is
the largest sum over Spark's processes (proportional set size).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks.scale.environment import spark_python
from benchmarks.scale.telemetry import PLAN, RELEASE, interval_lines, objects, source_of
from infra.constructs.spark_stream import depth_of
from spark.manifest import Announced, Manifest

SERIES = (1_000, 10_000, 100_000, 1_000_000)
INTERVALS = 3
LINES = 50_000
PARTITIONS = 8
MEMORY = "6g"
_LOOK_SECONDS = 2.0


class Memory(threading.Thread):
    """Watches a process and all below it."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(process)
        self.largest = 0

    def run(self) -> None:
        """Look until the process has ended."""
        while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for each in [self._process, *self._process.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):  # it ended meanwhile
                    total += each.memory_full_info().pss
            self.largest = max(self.largest, total)
            time.sleep(_LOOK_SECONDS)


def measured(series: int) -> dict[str, float]:
    """Measure one size in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="growth-") as temporary:
        root = Path(temporary)
        _prepare(root, series)
        command = [spark_python(), "-m", "benchmarks.scale.spark_side", str(root), str(depth_of(series))]
        process = subprocess.Popen(
            [*command, str(PARTITIONS), MEMORY], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        memory = Memory(process.pid)
        memory.start()
        reports = [json.loads(line) for line in process.stdout or () if line.startswith("{")]
        if process.wait():
            raise SystemExit(f"Spark ended with {process.returncode}")
        scored = sum(report["scored"] for report in reports)
        if scored != series * (INTERVALS - 2):
            raise SystemExit(f"{scored} scores of {series * (INTERVALS - 2)}")
        checkpoint = sum(path.stat().st_size for path in (root / "checkpoint").rglob("*") if path.is_file())
    return {
        "series": series,
        "keys": max(report["keys"] for report in reports),
        "seconds": reports[-1]["milliseconds"] / 1000,
        "gib": memory.largest / 2**30,
        "checkpoint_gib": checkpoint / 2**30,
        "load": os.getloadavg()[1],
    }


def _prepare(root: Path, series: int) -> None:
    bucket = str(root / "data").lstrip("/")
    folder = root / "manifests"
    folder.mkdir()
    for interval in range(INTERVALS):
        announced = []
        for number, body in enumerate(objects(interval_lines(series, interval), LINES)):
            key, source = source_of(f"{number:04d}", interval, bucket)
            path = root / "data" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            announced.append(Announced(bucket, key, None, source))
        (folder / f"{interval:020d}.json").write_text(Manifest(PLAN, RELEASE, tuple(announced)).to_json())
        time.sleep(0.01)  # manifests are read in the order of their times


def main() -> None:
    """Print the table, a row as soon as it is measured."""
    print("| series | keys | seconds an interval | GiB | checkpoint GiB | load of the machine |")
    print("| --- | --- | --- | --- | --- | --- |")
    for series in [int(text) for text in sys.argv[1:]] or SERIES:
        row = measured(series)
        print(
            f"| {row['series']:,.0f} | {row['keys']:.0f} | {row['seconds']:.1f} | {row['gib']:.2f} | "
            f"{row['checkpoint_gib']:.2f} | {row['load']:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
