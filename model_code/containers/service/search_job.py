"""Training job: tries one share of a search's candidates.

Channels `features`, `labels`; the model has `candidates.json`. The whole table is in memory, as in `fit_job`.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from containers.runtime import job
from containers.runtime.hyperparameters import read_hyperparameters
from containers.service.inputs import failure_text, given_file
from containers.service.labels import read_labels
from containers.service.search import share_of, try_candidates
from containers.service.splits import in_order, split_rows
from containers.service.tables import read_table
from watchkeeper.core.documents import plain
from watchkeeper.core.plan import Dialect
from watchkeeper.detectors.catalogue import algorithm_of

CANDIDATES_NAME = "candidates.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of the job."""

    model_name: str
    features: str
    """Key of the file."""
    labels: str
    chunk: int
    """Which of the shares."""
    chunks: int
    decimal: str = "."
    """Decimal sign of the files."""


def search() -> None:
    """Read, fit, measure, write."""
    given = read_hyperparameters(Hyperparameters, job.root())
    dialect = Dialect(decimal=given.decimal)
    table = read_table(given_file(job.training_channel("features"), given.features), dialect)
    labels = read_labels(given_file(job.training_channel("labels"), given.labels), len(table), dialect)
    streaming = algorithm_of(given.model_name).is_streaming
    if streaming:
        (table,) = in_order([table])
    split = split_rows(labels, table.times, in_order=streaming)
    tried = try_candidates(
        given.model_name, share_of(given.model_name, given.chunk, given.chunks), table, labels, split
    )
    document: dict[str, Any] = {"split": split.kind, "candidates": plain(tried)}
    model = job.root() / "model"
    model.mkdir(parents=True, exist_ok=True)
    (model / CANDIDATES_NAME).write_text(json.dumps(document, allow_nan=False))
    logger.info(
        "searched",
        extra={"tried": len(tried), "best_f1": max((each.f1 or 0.0 for each in tried), default=0.0)},
    )


def main() -> None:
    """Run as the training job."""
    job.run_job(search, describe=failure_text)
