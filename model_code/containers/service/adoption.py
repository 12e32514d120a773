"""A model of the service as the detector of a streaming workload: nothing is learned again.

A table's detector gets the workload's features as a row of its table: in the units of the data, by the names
of its columns. A streaming detector goes on where its table ended, a series for each of its columns.

A model may not have learned the rows that the workload judges it by. Where its table had times, that is
checked.

The training job that does it has the channels `model` (the service's `model.tar.gz`), `train` (`rows.csv`)
and `plan` (`plan.json`).
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from containers.anomaly.snapshots import PLAN_NAME, Snapshots, load_plan, resumed, save_snapshots
from containers.runtime import job
from containers.runtime.hyperparameters import read_hyperparameters
from containers.runtime.training import copy_serving_code, read_training_rows
from containers.service.artifact import (
    ServiceManifest,
    ServiceModel,
    load_archive,
    load_model,
    save_model,
    unnamed,
)
from containers.service.inputs import given_file
from containers.service.tables import Part
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import LEAST_CONTEXT, FeaturePlan, WorkloadPlan
from watchkeeper.core.timestamps import format_instant, parse_instant
from watchkeeper.detectors.scorer import scorer_of
from watchkeeper.detectors.streaming.series_detector import SeriesDetector
from watchkeeper.features.contributions import Contribution
from watchkeeper.features.matrix import feature_names, row_arrays, unscaled_feature_matrix
from watchkeeper.lifecycle.manifest import MANIFEST_NAME, ArtifactManifest
from watchkeeper.service.tasks import MODEL_FILE
from watchkeeper.telemetry.rows import Row
from watchkeeper.telemetry.series import parse_series_key

TABLE_FOLDER = "table"
"""Where an adopted table's detector is in the artifact, with the manifest that the service gave it."""


@dataclass(frozen=True)
class TableScorer:
    """Scores rows by a table's detector: each one is a row of the model's table."""

    model: ServiceModel
    plan: WorkloadPlan

    @property
    def needs_time(self) -> bool:
        """Whether a score depends on a row's timestamp."""
        return self.plan.features.has_time

    def score(self, rows: Sequence[Row]) -> list[float]:
        """Return the anomaly_score of each row, 0 to 1, in order.

        Raises
        ------
        InvalidInputError
            If a row is of another measure (reason `bad_series`); names the record.
        """
        measure = self.plan.measures[0].name
        for record, row in enumerate(rows, start=1):
            if row.series is not None and parse_series_key(row.series).measure != measure:
                raise InvalidInputError(
                    f"record {record}: series {row.series!r}: the model knows the measure {measure!r} only",
                    reason="bad_series",
                )
        vectors = unscaled_feature_matrix(row_arrays(rows, self.plan), self.plan)
        part = self.model.aligned(Part(0, tuple(feature_names(self.plan)), vectors, None))
        scores: list[float] = scorer_of(self.model.detector)(part.values, None).anomaly_score.tolist()
        return scores

    def explain(self, rows: Sequence[Row]) -> list[tuple[Contribution, ...]]:
        """Return nothing for each row: these detectors cannot tell what their scores are made of."""
        return [() for _ in rows]


def adopt(model: ServiceModel, plan: WorkloadPlan, rows: Sequence[Row], version: int, folder: Path) -> None:
    """Write a model of the service as a workload's artifact.

    Parameters
    ----------
    rows
        The workload's training rows: the model need not have learned them, but nothing that is later.
    version
        Of the model in the registry.
    folder
        Where the artifact is written: `plan.json`, `manifest.json`, and `snapshots.npz` of a streaming
        detector or `table/` of another one.

    Raises
    ------
    InvalidInputError
        If the model does not fit the workload; says what would.
    """
    try:
        _refuse_later_rows(model.manifest, plan, rows)
        manifest = _manifest(model, plan, version)
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(model.detector, SeriesDetector):
            snapshots = _snapshots(model.detector, model.manifest, plan, rows)
            save_snapshots(snapshots, plan, manifest, folder)
        else:
            save_model(_table_model(model, plan), folder / TABLE_FOLDER)
            (folder / PLAN_NAME).write_text(plan.to_json())
            (folder / MANIFEST_NAME).write_text(manifest.to_json())
    except InvalidInputError as error:
        raise InvalidInputError(
            f"workload {plan.workload}: detector.version {version}, the model {model.manifest.algorithm} of "
            f"{', '.join(model.manifest.columns)}: {error}",
            reason=error.reason,
        ) from error


def load_table_scorer(folder: Path) -> TableScorer:
    """Read an adopted table's detector.

    Raises
    ------
    ContractViolationError
        If the files are absent, or were written by an incompatible release.
    """
    plan = load_plan(folder, "an adopted model")
    return TableScorer(load_model(folder / TABLE_FOLDER), plan)


def _refuse_later_rows(manifest: ServiceManifest, plan: WorkloadPlan, rows: Sequence[Row]) -> None:
    if not manifest.training_end:
        return
    ended = parse_instant(manifest.training_end)
    part_ends = max(row.timestamp for row in rows) + timedelta(seconds=plan.interval_seconds)
    if ended >= part_ends:
        raise InvalidInputError(
            f"its table ends at {manifest.training_end}, the workload's training part at "
            f"{format_instant(part_ends)}: it would be judged by rows that it has learned. Train it on "
            "earlier rows, or upload later history",
            reason="learned_holdback",
        )


def _manifest(model: ServiceModel, plan: WorkloadPlan, version: int) -> ArtifactManifest:
    return ArtifactManifest.of(
        plan,
        training_start=model.manifest.training_start,
        training_end=model.manifest.training_end,
        n_rows=model.manifest.n_rows,
        hyperparameters={
            "version": version,
            "algorithm": model.manifest.algorithm,
            **model.manifest.hyperparameters,
        },
        metrics=model.manifest.metrics,
    )


def _table_model(model: ServiceModel, plan: WorkloadPlan) -> ServiceModel:
    """Return the model with the workload's features as its columns."""
    if len(plan.measures) > 1:
        raise InvalidInputError(
            f"it would judge the measures {', '.join(each.name for each in plan.measures)} alike; a workload "
            "that serves a table's model has one measure",
            reason="columns_mismatch",
        )
    names, columns = feature_names(plan), model.manifest.columns
    if len(names) == len(columns) and (len(names) == 1 or unnamed(columns)):
        return ServiceModel(model.detector, dataclasses.replace(model.manifest, columns=names))
    if sorted(names) != sorted(columns):
        raise InvalidInputError(
            f"the workload's features are {', '.join(names)}; change `features`, or train the model on a "
            "table with these columns",
            reason="columns_mismatch",
        )
    return model


def _snapshots(
    detector: SeriesDetector, manifest: ServiceManifest, plan: WorkloadPlan, rows: Sequence[Row]
) -> Snapshots:
    shingle = plan.features.shingle
    if plan.features != FeaturePlan(shingle=shingle, differences=False) or shingle < LEAST_CONTEXT:
        raise InvalidInputError(
            "it takes the series as they are: write `features: {shingle: 128, differences: false}`; the "
            f"shingle, {LEAST_CONTEXT} to 256, says how much of the past a score is made from",
            reason="columns_mismatch",
        )
    if not manifest.training_end:
        raise InvalidInputError(
            "its table had no times, so it is not known where it goes on: train it on a table whose first "
            "column is the time",
            reason="bad_time",
        )
    series = _series_of_columns(manifest.columns, sorted({row.series or "" for row in rows}))
    return Snapshots(resumed(series, detector.detector_.states_))


def _series_of_columns(columns: Sequence[str], series: Sequence[str]) -> list[str]:
    """Return the series that each column of the model is; a series without one is new to the model."""
    if len(columns) == len(series) and (len(series) == 1 or unnamed(columns)):
        return list(series)
    missing = [name for name in series if name not in columns]
    if len(missing) == len(series):
        raise InvalidInputError(
            f"the workload has the series {', '.join(missing[:5])}, for which it has no column: train it "
            "on a table with a column for each series, named by its key",
            reason="columns_mismatch",
        )
    return list(columns)


SERVE_PROGRAM = "serve_registered_detector.py"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of the job."""

    version: int
    """Of the model in the registry, for messages and the manifest."""


def train() -> None:
    """Read the model, see that it fits the workload, and write it as the workload's."""
    given = read_hyperparameters(Hyperparameters, job.root())
    plan = job.read_plan(job.training_channel("plan"), WorkloadPlan)
    rows = read_training_rows(plan.features.shingle - 1)
    model = load_archive(given_file(job.training_channel("model"), MODEL_FILE))
    if not model.manifest.training_end:
        logger.warning("the model's table had no times: whether it has learned held-back rows is not known")
    folder = job.root() / "model"
    adopt(model, plan, rows, given.version, folder)
    copy_serving_code(SERVE_PROGRAM, folder / "code")
    logger.info("adopted", extra={"algorithm": model.manifest.algorithm, "version": given.version})


def main() -> None:
    """Run as the training job."""
    job.run_job(train)
