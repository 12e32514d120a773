"""Training job: lets the streaming detector learn the training rows, and keeps its state of each series.

Channels: `train` (`rows.csv`), `plan` (`plan.json`). The model has `snapshots.npz`, `plan.json`,
`manifest.json` and, in `code/`, what serves it.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass

from containers.anomaly.snapshots import fit_snapshots, save_snapshots
from containers.runtime import job
from containers.runtime.hyperparameters import read_hyperparameters
from containers.runtime.training import copy_serving_code, manifest_of, read_training_rows
from watchkeeper.core.errors import ContractViolationError

SERVE_PROGRAM = "serve_detector.py"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of the job."""

    context: int
    """Intervals that a row shows, the current one included."""


def train() -> None:
    """Learn the channel `train` and write the model."""
    hyperparameters = read_hyperparameters(Hyperparameters, job.root())
    plan = job.read_plan(job.training_channel("plan"))
    if hyperparameters.context != plan.features.shingle:
        raise ContractViolationError(
            f"hyperparameter context={hyperparameters.context}, but the plan's rows show "
            f"{plan.features.shingle} intervals: deploy the stacks again"
        )
    rows = read_training_rows(hyperparameters.context - 1)
    snapshots = fit_snapshots(rows, plan)
    model = job.root() / "model"
    model.mkdir(parents=True, exist_ok=True)
    save_snapshots(snapshots, plan, manifest_of(plan, rows, asdict(hyperparameters)), model)
    copy_serving_code(SERVE_PROGRAM, model / "code")
    logger.info("learned", extra={"rows": len(rows), "series": len(snapshots.detectors)})


def main() -> None:
    """Run as the training job."""
    job.run_job(train)
