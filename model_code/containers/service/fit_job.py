"""Training job: fits the detector that a request asked for, with the best hyperparameters of its search.

Channels `features` and, of a search, `labels` and `search` (the artifacts of its jobs). Without a search the
documented defaults are taken. The model is the service's; see `artifact`.

Memory: the whole table (`tables.read_table`), and the rows that are learned (`fit_rows` of the catalogue).
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from containers.runtime import job
from containers.runtime.hyperparameters import read_hyperparameters
from containers.runtime.training import copy_serving_code
from containers.service.artifact import ServiceManifest, ServiceModel, read_members, save_model
from containers.service.inputs import failure_text, given_file
from containers.service.labels import read_labels
from containers.service.search import Tried, best_of, measure_held_out
from containers.service.search_job import CANDIDATES_NAME
from containers.service.splits import in_order, split_rows
from containers.service.tables import Table, read_table
from watchkeeper.core.documents import plain, read_part
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import Dialect
from watchkeeper.core.timestamps import format_instant
from watchkeeper.detectors.catalogue import algorithm_of
from watchkeeper.detectors.scorer import fit_detector, fit_positions

SERVE_PROGRAM = "serve_service_detector.py"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of the job."""

    model_name: str
    features: str
    """Key of the file."""
    labels: str = ""
    """Key of the file; empty without a search."""
    decimal: str = "."
    """Decimal sign of the files."""

    @property
    def dialect(self) -> Dialect:
        """How the files are written."""
        return Dialect(decimal=self.decimal)


@dataclass(frozen=True)
class Choice:
    """The hyperparameters to fit with, and what is known of them."""

    hyperparameters: dict[str, Any]
    metrics: dict[str, Any]
    candidates: list[dict[str, Any]]


def fit() -> None:
    """Read, choose, fit, write."""
    given = read_hyperparameters(Hyperparameters, job.root())
    table = read_table(given_file(job.training_channel("features"), given.features), given.dialect)
    if algorithm_of(given.model_name).is_streaming:
        (table,) = in_order([table])
    choice = Choice({}, {}, [])
    if given.labels:
        tried = read_tried(job.training_channel("search"))
        choice = choose(given, table, tried)
    detector = fit_detector(given.model_name, choice.hyperparameters, table.values, table.times)
    algorithm = algorithm_of(given.model_name).name
    started, ended = _training_times(table)
    manifest = ServiceManifest(
        algorithm=algorithm,
        hyperparameters=detector.get_params(),
        columns=list(table.columns),
        threshold=detector.threshold_score,
        n_rows=len(table),
        n_rows_learned=len(fit_positions(algorithm, len(table))),
        has_time=table.times is not None,
        training_start=started,
        training_end=ended,
        metrics=choice.metrics,
        candidates=choice.candidates,
    )
    model = job.root() / "model"
    save_model(ServiceModel(detector, manifest), model)
    copy_serving_code(SERVE_PROGRAM, model / "code")
    logger.info("fitted", extra={"algorithm": algorithm, "rows": len(table), **choice.metrics})


def read_tried(folder: Path) -> list[Tried]:
    """Return the candidates of all jobs of a search, in their order.

    Raises
    ------
    ContractViolationError
        If there are none.
    """
    tried: list[Tried] = []
    for path in sorted(folder.rglob("*.tar.gz")):
        members = read_members(path, (CANDIDATES_NAME,))
        if CANDIDATES_NAME in members:
            document = json.loads(members[CANDIDATES_NAME])
            tried += [read_part(Tried, each, CANDIDATES_NAME) for each in document["candidates"]]
    if not tried:
        raise ContractViolationError(f"{folder}: no artifact of a search")
    return sorted(tried, key=lambda each: each.place)


def choose(given: Hyperparameters, table: Table, tried: list[Tried]) -> Choice:
    """Choose the best candidate, and measure it and the defaults on the rows that the search never saw."""
    path = given_file(job.training_channel("labels"), given.labels)
    labels = read_labels(path, len(table), given.dialect)
    split = split_rows(labels, table.times, in_order=algorithm_of(given.model_name).is_streaming)
    best = best_of(tried)
    defaults = next(each for each in tried if each.place == 0)
    held_out, of_defaults = (
        measure_held_out(given.model_name, hyperparameters, table, labels, split).to_dict()
        for hyperparameters in (best.hyperparameters, {})
    )
    metrics = {
        "split": split.kind,
        "search": {"f1": _rounded(best.f1), "pr_auc": _rounded(best.pr_auc), "tried": len(tried)},
        "search_defaults": {"f1": _rounded(defaults.f1), "pr_auc": _rounded(defaults.pr_auc)},
        "held_out": held_out,
        "held_out_defaults": of_defaults,
    }
    return Choice(best.hyperparameters, metrics, plain(tried))


def _training_times(table: Table) -> tuple[str, str]:
    if table.times is None:
        return "", ""
    first, last = int(np.floor(table.times.min())), int(np.ceil(table.times.max()))
    return format_instant(first), format_instant(last)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def main() -> None:
    """Run as the training job."""
    job.run_job(fit, describe=failure_text)
