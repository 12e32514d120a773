"""Processing job: replays the history into the pages of a streaming detector, as the scoring loop would.

Inputs `plan`, `prepared` and `champion` (`release.json`); outputs `pages` (what the detector knows after the
whole history), `candidate` (the scores of the held-back rows, each given before the row was learned, and the
rows of the smoke test) and `model` (`model.tar.gz`: pages, parameters, and the code that answers requests).

Shelves are replayed beside each other. Nothing is fitted and nothing is learned twice: the held-back part is
scored on the way.
"""

from __future__ import annotations

import json
import logging
import os
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from containers.anomaly.pages import PAGES_NAME, page_files, read_page, write_page
from containers.anomaly.snapshots import PLAN_NAME
from containers.runtime import job
from containers.runtime.processing import read_holdback, run_id, write_json, write_lines
from containers.runtime.training import copy_serving_code
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant
from watchkeeper.detectors.streaming.state import Parameters
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.lifecycle.manifest import MANIFEST_NAME, ArtifactManifest
from watchkeeper.lifecycle.release import SCORE_TOLERANCE, StreamModel
from watchkeeper.stream.learning import learn
from watchkeeper.stream.page import Page
from watchkeeper.stream.warming import following, scores_of
from watchkeeper.telemetry.rows import Row, format_row

SERVE_PROGRAM = "serve_detector.py"
STREAM_NAME = "stream.json"
"""Beside the scores: the detector's parameters."""
BANDS_NAME = "bands.json"
"""Beside the scores: what was expected of each row when it was scored, lower and upper end."""
SMOKE_NAME = "smoke.json"
SMOKE_ROWS = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Warmed:
    """A shelf after its history."""

    series: tuple[str, ...]
    rows: npt.NDArray[np.void]
    """The intervals of the held-back time: WAITING."""
    scores: npt.NDArray[np.float64]
    bands: npt.NDArray[np.float64]
    """Expected value, lower and upper end, shape (n_rows, 3)."""
    learned: int
    """Intervals, those before included."""
    first: int
    """Start of the first of them."""
    smoke: tuple[tuple[Row, float], ...]
    """Rows that could follow, with the scores that the page gives them."""


def warm_up() -> None:
    """Replay, score and write."""
    plan = job.read_plan(job.processing_input("plan"), WorkloadPlan)
    prepared, pages = job.processing_input("prepared"), job.processing_output("pages")
    holdback = read_holdback(prepared)
    model = StreamModel(asdict(Parameters()), plan.threshold.rarity)
    since = min(_start(row) for row in holdback)
    shelves = _replayed(page_files(prepared / PAGES_NAME), pages, model, since)
    candidate = job.processing_output("candidate")
    scores = scores_by_row(holdback, shelves)
    write_lines(candidate / "rows.csv.out", (json.dumps({"score": score}) for score, _ in scores))
    write_json(candidate / BANDS_NAME, {"bands": [band for _, band in scores]})
    smoke = [case for shelf in shelves for case in shelf.smoke][:SMOKE_ROWS]
    write_json(
        candidate / SMOKE_NAME,
        {
            "rows": [format_row(row) for row, _ in smoke],
            "scores": [score for _, score in smoke],
            "tolerance": SCORE_TOLERANCE,
        },
    )
    write_json(candidate / STREAM_NAME, {"parameters": model.parameters})
    _write_artifact(plan, model, shelves, pages, job.processing_output("model"))
    told = {"shelves": len(shelves), "series": sum(len(shelf.series) for shelf in shelves)}
    logger.info("warmed up", extra={**told, "intervals": sum(shelf.learned for shelf in shelves)})


def warm_shelf(page: Page, model: StreamModel, since: int, run: str) -> tuple[Page, Warmed]:
    """Let a page learn the intervals that wait on it.

    Parameters
    ----------
    since
        Seconds since 1970: scores of intervals from then on are kept.
    run
        The training run, whose page it becomes.
    """
    after, rows, said = learn(page, model)
    after = replace(after, model=run)
    kept = rows["start"] >= since
    cases = following(rows, after)
    warmed = Warmed(
        series=page.series,
        rows=rows[kept],
        scores=said.anomaly_score[kept],
        bands=np.stack((said.expected, said.lower, said.upper), axis=1)[kept],
        learned=len(rows),
        first=int(rows["start"].min(initial=since)),
        smoke=tuple(zip(cases, scores_of(cases, after, model), strict=True)),
    )
    return after, warmed


def scores_by_row(
    holdback: Sequence[HoldbackRow], shelves: Iterable[Warmed]
) -> list[tuple[float, list[float]]]:
    """Return the score and the band of each held-back row."""
    found: dict[tuple[str, int], tuple[float, list[float]]] = {}
    for shelf in shelves:
        intervals = zip(shelf.rows["series"].tolist(), shelf.rows["start"].tolist(), strict=True)
        names = ((shelf.series[position], start) for position, start in intervals)
        said = zip(shelf.scores.tolist(), shelf.bands.tolist(), strict=True)
        found.update(zip(names, said, strict=True))
    return [found[row.series, _start(row)] for row in holdback]


def main() -> None:
    """Run as the processing job."""
    job.run_job(warm_up)


def _replayed(files: Sequence[Path], pages: Path, model: StreamModel, since: int) -> list[Warmed]:
    warm = partial(_replay, pages=pages, model=model, since=since, run=run_id())
    if len(files) == 1:
        return [warm(files[0])]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(warm, files))


def _replay(file: Path, *, pages: Path, model: StreamModel, since: int, run: str) -> Warmed:
    after, warmed = warm_shelf(read_page(file), model, since, run)
    write_page(pages, after)
    return warmed


def _write_artifact(
    plan: WorkloadPlan, model: StreamModel, shelves: Sequence[Warmed], pages: Path, output: Path
) -> None:
    """Write `model.tar.gz` as SageMaker takes it."""
    ends = max(int(shelf.rows["start"].max(initial=shelf.first)) for shelf in shelves)
    parameters: Mapping[str, float] = model.parameters
    manifest = ArtifactManifest.of(
        plan,
        training_start=format_instant(min(shelf.first for shelf in shelves)),
        training_end=format_instant(ends + plan.interval_seconds),
        n_rows=sum(shelf.learned for shelf in shelves),
        hyperparameters={"parameters": parameters, "alert_rarity": model.alert_rarity},
        metrics={"shelves": len(shelves), "series": sum(len(shelf.series) for shelf in shelves)},
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / PLAN_NAME).write_text(plan.to_json())
        (folder / MANIFEST_NAME).write_text(manifest.to_json())
        copy_serving_code(SERVE_PROGRAM, folder / "code")
        with tarfile.open(output / "model.tar.gz", "w:gz") as archive:
            archive.add(folder, ".")
            archive.add(pages, PAGES_NAME)


def _start(row: HoldbackRow) -> int:
    return epoch_seconds(parse_instant(row.interval_start))


if __name__ == "__main__":
    main()
