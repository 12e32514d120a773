"""Training job: fits trees and the graph network on prepared transactions, and chooses among them.

Channels: `processed` (`transactions/` as Spark wrote them), `plan` (`plan.json`). The model has `arrays.npz`,
`plan.json`, `manifest.json`, `training.json` (the log) and, in `code/`, what serves it.
"""

from __future__ import annotations

import hashlib
import logging
import resource
import sys
from dataclasses import asdict

import numpy as np

from containers.fraud.fit import Fitted, fit_model
from containers.fraud.hyperparameters import Hyperparameters
from containers.fraud.model import arrays_of, save_model
from containers.fraud.prepared import Prepared, read_prepared
from containers.runtime import job
from containers.runtime.hyperparameters import read_hyperparameters
from containers.runtime.processing import write_json
from containers.runtime.training import copy_serving_code
from watchkeeper.core.timestamps import format_instant
from watchkeeper.fraud.manifest import FraudManifest
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.split import TRAIN

SERVE_PROGRAM = "serve_fraud.py"
LOG_NAME = "training.json"

logger = logging.getLogger(__name__)


def train() -> None:
    """Fit on the channel `processed` and write the model."""
    hyperparameters = read_hyperparameters(Hyperparameters, job.root())
    plan = job.read_plan(job.training_channel("plan"), FraudPlan)
    prepared = read_prepared(job.training_channel("processed"), plan)
    fitted = fit_model(prepared.graph, prepared.parts, plan, hyperparameters)
    arrays = arrays_of(fitted.model)
    folder = job.root() / "model"
    save_model(fitted.model, folder, arrays, _manifest(fitted, prepared, arrays, hyperparameters))
    write_json(folder / LOG_NAME, training_log(fitted))
    copy_serving_code(SERVE_PROGRAM, folder / "code")
    logger.info("fitted", extra={"choice": fitted.model.choice, "pr_auc": fitted.validation_pr_auc})


def training_log(fitted: Fitted) -> dict[str, object]:
    """Return what was seen of the training."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "epochs": [asdict(epoch) for epoch in fitted.log],
        "seconds": fitted.seconds,
        "peak_memory_bytes": peak,
        "validation_pr_auc": fitted.validation_pr_auc,
    }


def _manifest(
    fitted: Fitted, prepared: Prepared, arrays: bytes, hyperparameters: Hyperparameters
) -> FraudManifest:
    rows = np.flatnonzero(prepared.parts == TRAIN)
    times = prepared.graph.times[rows]
    return FraudManifest.of(
        fitted.model.plan,
        arrays_sha256=hashlib.sha256(arrays).hexdigest(),
        choice=fitted.model.choice,
        threshold=fitted.model.threshold,
        ensemble_weight=fitted.model.weight,
        validation_pr_auc=fitted.validation_pr_auc,
        n_train=len(rows),
        n_train_frauds=int((prepared.graph.labels.verdicts[rows] > 0).sum()),
        training_start=format_instant(int(times.min())),
        training_end=format_instant(int(times.max())),
        hyperparameters=asdict(hyperparameters),
    )


def main() -> None:
    """Run as the training job."""
    job.run_job(train)
