"""Processing job: judges a table by a model, part by part; with labels, measures it; draws charts.

Inputs `features`, `model` and, where there are labels, `labels`; output `results`: the predictions file and,
where they are asked for, the charts. Of a training task also the model itself. The job's exit message is its
measures as JSON.

Memory: the model, one part of the table (`tables.part_rows`) and, of charts, a sample of bounded size. With
labels also these and the scores, 26 bytes a row, because measures need all of them.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from containers.runtime import job
from containers.service.artifact import ServiceModel
from containers.service.charts import draw_charts
from containers.service.inputs import PredictSettings, failure_text, given_file
from containers.service.labels import Labels, read_labels
from containers.service.page import write_page
from containers.service.picture import FloatArray, Picture
from containers.service.predictions import PredictionsFile
from containers.service.quality import Quality, measure
from containers.service.splits import in_order
from containers.service.tables import Part, read_parts
from containers.service.workload_model import load_any_model
from watchkeeper.core.plan import Dialect
from watchkeeper.detectors.catalogue import algorithm_of
from watchkeeper.detectors.protocol.scores import Scores, joined
from watchkeeper.detectors.scorer import scorer_of
from watchkeeper.service.tasks import CHARTS_FOLDER, CHARTS_PAGE, MODEL_FILE, Task

_WHAT = {
    Task.TRAIN: "the rows that it was trained on",
    Task.VALID: "rows with labels",
    Task.INFER: "new rows",
}

logger = logging.getLogger(__name__)


def predict() -> None:
    """Read, judge, measure, write."""
    settings = PredictSettings.from_environment()
    task = Task(settings.task)
    archive = given_file(job.processing_input("model"), settings.model)
    model = load_any_model(archive)
    features = given_file(job.processing_input("features"), settings.features)
    output = job.processing_output("results")
    dialect = Dialect(decimal=settings.decimal)
    labels = _labels(settings, features, dialect)
    picture = Picture(model.manifest.threshold) if settings.charts.lower() == "true" else None
    n_rows, flagged, scores = _judge(
        model,
        read_parts(features, dialect),
        output / settings.predictions,
        task=task,
        labels=labels,
        picture=picture,
    )
    quality = None if labels is None else measure(labels, scores.is_anomaly, scores.raw)
    if picture is not None:
        raw = None if labels is None else scores.raw
        _draw(picture, output / CHARTS_FOLDER, task, model, quality, labels, raw)
    if task is Task.TRAIN:
        shutil.copyfile(archive, output / MODEL_FILE)
    message = summary(task, model, n_rows, flagged, quality)
    job.tell(json.dumps(message, separators=(",", ":"), allow_nan=False))
    logger.info("judged", extra=message)


def summary(
    task: Task, model: ServiceModel, n_rows: int, flagged: int, quality: Quality | None
) -> dict[str, Any]:
    """Return what a request's `metrics` say.

    Of a training task with labels, precision, recall and the like are of the rows that the model was trained
    on; `held_out` are those of the rows that its search never saw, beside what the defaults do there.
    """
    manifest = model.manifest
    found: dict[str, Any] = {"algorithm": manifest.algorithm, "rows": n_rows, "flagged": flagged}
    if quality is not None:
        found |= {name: value for name, value in quality.to_dict().items() if name not in ("n", "flagged")}
    if task is Task.TRAIN and manifest.metrics:
        measures = ("f1", "precision", "recall", "pr_auc", "roc_auc")
        found |= {
            "split": manifest.metrics["split"],
            "search": manifest.metrics["search"],
            "held_out": {name: manifest.metrics["held_out"][name] for name in measures},
            "held_out_defaults": {name: manifest.metrics["held_out_defaults"][name] for name in measures[:1]},
        }
    return found


def _judge(
    model: ServiceModel,
    table: Iterator[Part],
    predictions_path: Path,
    *,
    task: Task,
    labels: Labels | None,
    picture: Picture | None,
) -> tuple[int, int, Scores]:
    score = scorer_of(model.detector, as_they_came=task is Task.TRAIN)
    kept: list[Scores] = []
    parts: Iterator[Part] = map(model.aligned, table)
    if algorithm_of(model.manifest.algorithm).is_streaming:
        parts = in_order(parts)
    n_rows = flagged = 0
    with PredictionsFile(predictions_path) as predictions:
        for part in parts:
            scores = score(part.values, part.times)
            predictions.write(scores)
            n_rows += len(part)
            flagged += int(scores.is_anomaly.sum())
            truth = None if labels is None else labels[part.first_row : part.first_row + len(part)]
            if picture is not None:
                picture.add(part, scores, truth)
            if truth is not None:
                kept.append(scores)
    return n_rows, flagged, joined(kept) if kept else scores.rows(slice(0))


def _labels(settings: PredictSettings, features: Path, dialect: Dialect) -> Labels | None:
    if not settings.labels:
        return None
    n_rows = sum(map(len, read_parts(features, dialect)))
    return read_labels(given_file(job.processing_input("labels"), settings.labels), n_rows, dialect)


def _draw(
    picture: Picture,
    folder: Path,
    task: Task,
    model: ServiceModel,
    quality: Quality | None,
    labels: Labels | None,
    raw: FloatArray | None,
) -> None:
    algorithm = model.manifest.algorithm
    title = f"{algorithm}: {_WHAT[task]}"
    draw_charts(picture, folder, title=title, quality=quality, truth=labels, raw=raw)
    chosen = ", ".join(f"{name} {value}" for name, value in sorted(model.manifest.hyperparameters.items()))
    about = f"Trained on {model.manifest.n_rows} rows with {chosen}."
    write_page(
        picture, folder / CHARTS_PAGE, title=title, about=about, quality=quality, truth=labels, raw=raw
    )


if __name__ == "__main__":
    job.run_job(predict, describe=failure_text)
