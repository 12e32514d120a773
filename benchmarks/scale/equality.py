"""The same objects through the Lambda function's host and through Spark: what both write has equal bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from benchmarks.scale.environment import spark_python
from benchmarks.scale.folder import FolderStore, Nowhere
from benchmarks.scale.telemetry import PLAN, RELEASE, interval_lines, objects, source_of
from lambdas.adapters.release_store import ReleaseStore
from lambdas.scoring.adopting import Adopting
from lambdas.scoring.effects import ScoringEffects
from lambdas.scoring.explaining import Explainers
from lambdas.scoring.pages import Span, StoredPage
from lambdas.scoring.probing import ReleaseCache
from lambdas.scoring.shelves import Delivery
from spark.manifest import Announced, Manifest
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.object_lines import sort_lines
from watchkeeper.stream.page import Page
from watchkeeper.stream.page_format import from_bytes, to_bytes
from watchkeeper.stream.takeover import SeriesState

DEPTH, PARTITIONS = 2, 4
_UNDER_WAY_SECONDS = 3

Item = TypeVar("Item")
Result = TypeVar("Result")


def prepare(root: Path, *, series: int, intervals: int, most: int, a_manifest: int) -> list[Announced]:
    """Write the objects and manifests of a fleet, and return the objects in their order."""
    bucket = str(root / "data").lstrip("/")
    announced: list[Announced] = []
    for interval in range(intervals):
        lines = interval_lines(series, interval, late=0.01, repeated=0.02)
        for number, body in enumerate(objects(lines, most)):
            key, source = source_of(str(number), interval, bucket)
            path = root / "data" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            announced.append(Announced(bucket, key, None, source))
    again = announced[::17]  # deliveries that come twice
    for place, each in enumerate(again):
        announced.insert(min(len(announced), place * 18 + 20), each)
    folder = root / "manifests"
    folder.mkdir(parents=True)
    for number, first in enumerate(range(0, len(announced), a_manifest)):
        manifest = Manifest(PLAN, RELEASE, tuple(announced[first : first + a_manifest]))
        (folder / f"{number:020d}.json").write_text(manifest.to_json())
        time.sleep(0.002)  # their order is that of their times
    return announced


def in_lambda(root: Path, announced: list[Announced]) -> float:
    """Score the objects one after the other with the Lambda function's host, and return the seconds."""
    objects, unused = FolderStore("/"), cast(Any, None)
    effects = ScoringEffects(
        bucket=str(root / "alone").lstrip("/"),
        plans=unused,
        objects=objects,
        pages=MemoryPages(),
        earlier=NoEarlierStates(),
        releases=ReleaseCache(cast(ReleaseStore, OneRelease())),
        endpoint=unused,
        explainers=Explainers(objects, unused),
        adopting=Adopting(objects, str(root / "alone").lstrip("/")),
        anomalies=Nowhere(),
        alerts=Nowhere(),
        quality=Nowhere(),
        for_each=one_after_the_other,
    )
    begun = time.monotonic()
    for each in announced:
        readings = sort_lines((root / "data" / each.object_key).read_bytes(), PLAN).readings(PLAN)
        Delivery(readings, each.source, PLAN, effects).apply()
    return time.monotonic() - begun


def one_after_the_other(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """`ForEach` without threads."""
    return [function(item) for item in items]


class OneRelease:
    """The part of a `ReleaseStore` that scoring reads."""

    def candidates(self, workload: str) -> list[Release]:
        """Return the one release."""
        return [RELEASE]


class NoEarlierStates:
    """`EarlierStates` of what was never deployed before."""

    def load(self, workload: str, series: Sequence[str]) -> dict[str, SeriesState]:
        """Return nothing."""
        return {}


class MemoryPages:
    """`PageStore` in a dictionary."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, str], tuple[bytes, str]] = {}

    def load(self, workload: str, shelf: str) -> StoredPage | None:
        """Return a page and its tag."""
        found = self._pages.get((workload, shelf))
        return None if found is None else StoredPage(from_bytes(found[0]), found[1])

    def due(self, workload: str, shelf: str) -> Span | None:
        """Return nothing: no tick comes."""
        return None

    def save(self, page: Page, seen: str | None, due: Span | None = None) -> str | None:
        """Write a page, if nobody has since."""
        place = (page.workload, page.shelf)
        if self._pages.get(place, (b"", None))[1] != seen:
            return None
        tag = str(int(seen or 0) + 1)
        self._pages[place] = (to_bytes(page), tag)
        return tag


def in_spark(
    root: Path, depth: int, partitions: int, memory: str = "2g", *, kill_after: int | None = None
) -> list[dict[str, int]]:
    """Score them in Spark, and return what each micro-batch said.

    Parameters
    ----------
    kill_after
        Micro-batches after which everything is killed, while the next one is under way.
    """
    command = [spark_python(), "-m", "benchmarks.scale.spark_side", str(root), str(depth), str(partitions)]
    process = subprocess.Popen([*command, memory], stdout=subprocess.PIPE, text=True, start_new_session=True)
    reports: list[dict[str, int]] = []
    for line in process.stdout or ():
        if line.startswith("{"):
            reports.append(json.loads(line))
        if len(reports) == kill_after:
            time.sleep(_UNDER_WAY_SECONDS)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return reports
    if process.wait():
        raise SystemExit(f"Spark ended with {process.returncode}")
    return reports


def differences(root: Path) -> tuple[int, list[str]]:
    """Return how many objects both have written, and which differ or are missing."""
    found = [_outputs(root / "alone"), _outputs(root / "data")]
    names = {*found[0], *found[1]}
    return len(names), sorted(name for name in names if found[0].get(name) != found[1].get(name))


def _outputs(root: Path) -> dict[str, bytes]:
    folders = (root / "scores", root / "quarantine")
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


def main() -> None:
    """`python -m benchmarks.scale.equality [SERIES INTERVALS]`."""
    series, intervals = (int(text) for text in (sys.argv[1:3] or ("10000", "100")))
    with tempfile.TemporaryDirectory(prefix="equality-") as temporary:
        root = Path(temporary)
        announced = prepare(root, series=series, intervals=intervals, most=4000, a_manifest=12)
        seconds = in_lambda(root, announced)
        begun = time.monotonic()
        reports = in_spark(root, DEPTH, PARTITIONS, kill_after=1)
        reports += in_spark(root, DEPTH, PARTITIONS)
        count, wrong = differences(root)
    late, scored = (sum(report[name] for report in reports) for name in ("late", "scored"))
    print(
        f"{series} series x {intervals} intervals, {len(announced)} deliveries, {late} late lines, {scored} "
        f"scores said, Spark killed once: {count} objects, {len(wrong)} differ; the function "
        f"{seconds:.1f} s, Spark {time.monotonic() - begun:.1f} s"
    )
    if wrong or not count:
        raise SystemExit(f"differ: {wrong[:5]}")


if __name__ == "__main__":
    main()
