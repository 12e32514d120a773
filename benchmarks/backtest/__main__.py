"""Compare two versions over a year of 100 series every 5 minutes; regenerates `docs/benchmarks-backtest.md`.

Beside it: the same versions row by row, as the loop would meet them, on as many intervals as take seconds.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer

from benchmarks import pages
from benchmarks.incidents.scoring import release_of
from watchkeeper.core.timestamps import format_instant
from watchkeeper.kinds import anomaly_plan
from watchkeeper.spec import load_workload
from watchkeeper.stream.page import new_page
from watchkeeper.stream.placement import ROOT
from watchkeeper.stream.readings import Readings, Source
from watchkeeper.stream.step import step, written
from watchkeeper.telemetry.records import parse_record

PAGE = pages.DOCS / "benchmarks-backtest.md"
RESULTS = pages.FOLDER / "backtest.json"
INTERVAL_SECONDS = 300
YEAR = 365 * 86_400 // INTERVAL_SECONDS
BEGIN = 1_735_689_600
FAULTS_A_SERIES = 10
LOOP_INTERVALS = 400
WORKLOAD = """
name: plant
kind: anomaly
source:
  topic: plant/+
  timestamp: {field: time, format: iso8601}
measures:
  - {field: pressure, name: pressure, aggregate: avg}
dimensions: [press]
interval: 5m
lateness: 10m
detector: {algorithm: watchkeeper}
threshold: {rule: rarity, rarity: RARITY}
training: {instance_type: ml.m5.large}
alerts:
  routes:
    - {channel: operators}
"""


def main(
    series: Annotated[int, typer.Option(min=1, help="Series; each is a file.")] = 100,
    intervals: Annotated[int, typer.Option(min=200, help="Intervals of each.")] = YEAR,
    page: Annotated[bool, typer.Option(help="Write the page.")] = True,
) -> None:
    """Measure, print and write the page."""
    results: dict[str, Any] = {"machine": pages.machine(), "series": series, "intervals": intervals}
    pages.FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=pages.FOLDER) as scratch:
        folder = Path(scratch)
        history = folder / "history"
        history.mkdir()
        for number in range(series):
            _write(history / f"{number:03d}.csv", number, intervals)
        for name, rarity in (("before", "3.75"), ("after", "4.5")):
            (folder / name).mkdir()
            (folder / name / "plant.yaml").write_text(WORKLOAD.replace("RARITY", rarity))
        results["bytes"] = sum(file.stat().st_size for file in history.iterdir())
        results["compared"] = _compared(folder, history)
        results["loop"] = _loop(folder / "after" / "plant.yaml", series)
    pages.save(RESULTS, results)
    text = _page(results)
    print(text)
    if page:
        PAGE.write_text(text, encoding="utf-8")


def _write(file: Path, number: int, intervals: int) -> None:
    chooser = np.random.default_rng(number)
    values = _values(chooser, intervals)
    times = np.datetime64(BEGIN, "s") + np.arange(intervals) * np.timedelta64(INTERVAL_SECONDS, "s")
    with file.open("w") as out:
        out.write("time,press,pressure\n")
        rows = zip(times.astype(str).tolist(), values.tolist(), strict=True)
        out.writelines(f"{at}Z,{number},{value:.3f}\n" for at, value in rows)


def _values(chooser: np.random.Generator, intervals: int) -> Any:
    day = 2 * np.pi * np.arange(intervals) * INTERVAL_SECONDS / 86_400
    values = 20 + 3 * np.sin(day) + chooser.normal(0, 1, intervals)
    for at in chooser.integers(0, intervals - 12, FAULTS_A_SERIES):
        values[at : at + 12] += 8
    return values


def _compared(folder: Path, history: Path) -> dict[str, Any]:
    """Run the command in a process of its own, and measure that and those that it starts."""
    command = [str(Path(sys.executable).with_name("watchkeeper")), "backtest"]
    command += ["--compare", str(folder / "before" / "plant.yaml"), str(folder / "after" / "plant.yaml")]
    command += ["--history", str(history), "--json"]
    begun = time.perf_counter()
    with (folder / "out.json").open("w") as out:
        process = psutil.Popen(command, stdout=out)
        peak, cpu = 0, 0.0
        while process.poll() is None:
            try:
                several = [process, *process.children(recursive=True)]
                peak = max(peak, sum(one.memory_info().rss for one in several))
                times = process.cpu_times()
                cpu = times.user + times.system + times.children_user + times.children_system
            except psutil.Error:
                pass
            time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"the command ended with status {process.returncode}")
    found = json.loads((folder / "out.json").read_text())
    return {
        "seconds": time.perf_counter() - begun,
        "processor_seconds": cpu,
        "peak_bytes": peak,
        "rows": found["history"]["intervals"],
        "scoring_seconds": found["before"]["scoring_seconds"],
        "judging_seconds": found["before"]["judging_seconds"] + found["after"]["judging_seconds"],
        "anomalies": [found[side]["anomalies"] for side in ("before", "after")],
        "incidents": [found[side]["incidents"] for side in ("before", "after")],
        "go": len(found["incidents"]["go"]),
        "appear": len(found["incidents"]["appear"]),
    }


def _loop(workload: Path, series: int) -> dict[str, Any]:
    """Let one version's loop meet the first intervals of all series, an object an interval."""
    plan = anomaly_plan(load_workload(workload).plan())
    release = release_of(plan)
    values = np.array([_values(np.random.default_rng(number), LOOP_INTERVALS) for number in range(series)])
    page = new_page(plan.workload, ROOT, plan.interval_seconds)
    objects = []
    for interval in range(LOOP_INTERVALS):
        at = format_instant(BEGIN + interval * INTERVAL_SECONDS)
        rows = (
            {"time": at, "press": str(number), "pressure": round(float(values[number, interval]), 3)}
            for number in range(series)
        )
        objects.append([json.dumps(row).encode() for row in rows])
    begun = time.process_time()
    for number, lines in enumerate(objects):
        records = [(at, line, parse_record(line, plan)) for at, line in enumerate(lines, start=1)]
        source = Source(f"object {number}", "2026-11-29T17", f"raw/{number}", "", "")
        outcome, _ = step(page, Readings.of(records, plan), source, release, plan)
        page = written(outcome.page, [outcome.output]) if outcome.output else outcome.page
    seconds = time.process_time() - begun
    return {"rows": LOOP_INTERVALS * series, "processor_seconds": seconds}


def _page(results: dict[str, Any]) -> str:
    compared, loop = results["compared"], results["loop"]
    rows = compared["rows"]
    loop_rate = loop["rows"] / loop["processor_seconds"]
    loop_seconds = 2 * rows / loop_rate
    seconds, cpu = compared["seconds"], compared["processor_seconds"]
    slice_ = f"{loop_rate:,.0f} rows/s on {loop['rows']:,} rows"
    figures = [
        ("records read", f"{rows:,}", f"{results['bytes'] / 1e6:,.0f} MB"),
        ("whole command, of the clock", f"{seconds:.0f} s", f"{rows / seconds:,.0f} rows/s"),
        ("its processor time", f"{cpu:.0f} s", f"{cpu / 2:.0f} s on two cores that do nothing else"),
        ("of it scoring, of the clock", f"{compared['scoring_seconds']:.1f} s", "once for both versions"),
        ("of it judging, of the clock", f"{compared['judging_seconds']:.1f} s", "both versions"),
        ("largest memory", f"{compared['peak_bytes'] / 2**30:.1f} GiB", "all processes"),
        ("two versions row by row, processor time", f"{loop_seconds:,.0f} s", slice_),
        ("row by row : command", f"{loop_seconds / cpu:.1f}", "processor time"),
    ]
    return (
        "# Backtest\n\n"
        "`python -m benchmarks.backtest` writes this page.\n\n"
        f"`watchkeeper backtest --compare` on {results['series']} series of {results['intervals']:,} "
        "intervals of 5 minutes, a CSV file a series; the versions differ in the threshold. Row by row is "
        "the scoring loop's step with an object an interval, once a version: parsing, taking in, scoring, "
        "judging, a line an interval.\n\n"
        f"{pages.described(results['machine'])}\n\n"
        f"{pages.table(('', 'figure', ''), figures, rule='---:')}\n"
        f"Anomalies {compared['anomalies'][0]:,} and {compared['anomalies'][1]:,}, incidents "
        f"{compared['incidents'][0]:,} and {compared['incidents'][1]:,}: {compared['go']:,} go, "
        f"{compared['appear']:,} appear.\n"
    )


if __name__ == "__main__":
    typer.run(main)
