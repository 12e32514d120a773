"""Training job: fits the preprocessor on the training rows.

Channels: `train` (`rows.csv`), `plan` (`plan.json`). The model has `preprocessor.json`, `manifest.json` and,
in `code/`, what serves it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from containers.anomaly.preprocessor import FeaturePreprocessor, save_preprocessor
from containers.runtime import job
from containers.runtime.hyperparameters import read_hyperparameters
from containers.runtime.training import copy_serving_code, manifest_of, read_training_rows

SERVE_PROGRAM = "serve_preprocessor.py"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hyperparameters:
    """The preprocessor has none: the plan says everything. Any other than the toolkit's own is refused."""


def train() -> None:
    """Fit on the channel `train` and write the model."""
    read_hyperparameters(Hyperparameters, job.root())
    plan = job.read_plan(job.training_channel("plan"))
    rows = read_training_rows(plan.features.shingle - 1)
    preprocessor = FeaturePreprocessor(plan).fit(rows)
    model = job.root() / "model"
    model.mkdir(parents=True, exist_ok=True)
    save_preprocessor(preprocessor, manifest_of(plan, rows), model)
    copy_serving_code(SERVE_PROGRAM, model / "code")
    logger.info(
        "fitted the preprocessor", extra={"rows": len(rows), "series": len(preprocessor.scales_.series)}
    )


def main() -> None:
    """Run as the training job."""
    job.run_job(train)
