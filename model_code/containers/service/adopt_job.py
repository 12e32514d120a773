"""Training job: makes a workload's detector of a model that the service trained; see `adoption`.

Channels `model` (the service's `model.tar.gz`), `train` (`rows.csv`), `plan` (`plan.json`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from containers.runtime import job
from containers.runtime.hyperparameters import read_hyperparameters
from containers.runtime.training import copy_serving_code, read_training_rows
from containers.service.adoption import adopt
from containers.service.artifact import load_archive
from containers.service.inputs import given_file
from watchkeeper.service.tasks import MODEL_FILE

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
    plan = job.read_plan(job.training_channel("plan"))
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
