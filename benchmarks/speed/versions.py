"""The streaming detector beside the version of a commit: in turns, each turn a process of its own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.speed import streaming_work

ROOT = Path(__file__).parents[2]
NOW, BEFORE, BEFORE_PLAIN = "now", "before, compiled by numba", "before, without numba"
SCORED_ROWS = 22_695
RATES = {
    streaming_work.SHELF: f"a row of each of {streaming_work.SHELF_SERIES:,} series",
    streaming_work.ROW_BY_ROW: "one series, a row at a time",
    streaming_work.IN_A_CALL: "one series, 2,000 rows in a call",
}


@dataclass(frozen=True)
class Comparison:
    """What one version does with one work, median of the turns."""

    work: str
    version: str
    unit: str
    figure: float
    """Of processor time."""
    wall_seconds: float | None = None


def compare(commit: str, *, turns: int) -> list[Comparison]:
    """Return the figures of this version and of a commit's."""
    with checked_out(commit) as before:
        versions = {NOW: (ROOT, False), BEFORE: (before, False), BEFORE_PLAIN: (before, True)}
        found: list[Comparison] = []
        for work, title in RATES.items():
            rates: dict[str, list[float]] = {name: [] for name in versions}
            for turn in range(turns):
                for name, (tree, plain) in versions.items():
                    if turn == 0 or not plain:  # it takes minutes to learn the first rows
                        rates[name].append(_rate(tree, work, plain=plain))
            found += [Comparison(title, name, "rows/s", median(values)) for name, values in rates.items()]
        found += _commands({NOW: ROOT, BEFORE: before}, turns)
    return found


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Give a folder with the files of a commit."""
    with tempfile.TemporaryDirectory(prefix="version-before-") as folder:
        archive = subprocess.run(
            ["git", "archive", commit, "model_code"], cwd=ROOT, check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        yield Path(folder)


def _rate(tree: Path, work: str, *, plain: bool) -> float:
    command = [sys.executable, streaming_work.__file__, work, *(["--plain"] if plain else [])]
    done = subprocess.run(command, env=environment_of(tree), check=True, capture_output=True, text=True)
    return float(done.stdout)


def _commands(trees: dict[str, Path], turns: int) -> list[Comparison]:
    """Return what `watchkeeper score` takes from its start to its end, the first time and later."""
    found: list[Comparison] = []
    with tempfile.TemporaryDirectory() as folder:
        table = _table(Path(folder))
        for name, tree in trees.items():
            first: list[tuple[float, float]] = []
            later: list[tuple[float, float]] = []
            for turn in range(turns):
                environment = {**environment_of(tree), "NUMBA_CACHE_DIR": f"{folder}/{name}-{turn}"}
                first.append(_score(table, environment))
                later.append(_score(table, environment))
            title = f"`watchkeeper score`, {SCORED_ROWS:,} rows"
            for when, times in ((", first time", first), ("", later)):
                cpu, wall = (median(column) for column in zip(*times, strict=True))
                found.append(Comparison(title + when, name, "s", cpu, wall))
    return found


def _score(table: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Return processor and wall seconds."""
    code = "from watchkeeper.command.main import run; run()"
    columns = ["--timestamp", "time", "--value", "value", "--output", str(table.with_suffix(".scored"))]
    command = [sys.executable, "-c", code, "score", str(table), *columns]
    return timed(lambda: subprocess.run(command, env=environment, check=True, capture_output=True))


def timed(children: Callable[[], object]) -> tuple[float, float]:
    """Return the processor and wall seconds of what a function starts and waits for."""
    used, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    children()
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return cpu, time.perf_counter() - started


def _table(folder: Path) -> Path:
    values = np.random.default_rng(0).normal(size=SCORED_ROWS) + 5 * np.sin(np.arange(SCORED_ROWS) / 46)
    times = np.datetime64("2025-01-01T00:00:00") + np.arange(SCORED_ROWS) * np.timedelta64(5, "m")
    lines = [f"{when}Z,{value:.4f}\n" for when, value in zip(times, values, strict=True)]
    path = folder / "series.csv"
    path.write_text("time,value\n" + "".join(lines))
    return path


def environment_of(tree: Path) -> dict[str, str]:
    """Return an environment with a version of the package; modules are compiled once, as where it is
    installed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(tree / "model_code")}
