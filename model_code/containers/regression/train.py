"""Training job: fits the regressor on the training rows.

Channels: `train` (`rows.csv`: the target, then the features), `plan` (`plan.json`). The model has
`estimator.joblib`, `plan.json`, `manifest.json` and, in `code/`, what serves it.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass

from containers.regression.estimator import Regressor, build_pipeline, frame_of, save_regressor
from containers.runtime import job
from containers.runtime.hyperparameters import read_hyperparameters
from containers.runtime.training import copy_serving_code, read_rows
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.rows import Features, features_of
from watchkeeper.telemetry.cells import parse_number
from watchkeeper.telemetry.payloads import csv_records, read_each

SERVE_PROGRAM = "serve_regressor.py"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hyperparameters:
    """Hyperparameters of the job: those of scikit-learn's RandomForestRegressor."""

    n_estimators: int = 100
    max_depth: int | None = None
    min_samples_leaf: int = 1
    max_features: str = "1.0"
    """`sqrt`, `log2`, or a share of the features."""
    random_state: int = 0

    def of_the_forest(self) -> dict[str, int | float | str | None]:
        """Return the forest's parameters.

        Raises
        ------
        InvalidInputError
            If `max_features` is none of what it may be.
        """
        try:
            share = self.max_features if self.max_features in ("sqrt", "log2") else float(self.max_features)
        except ValueError as error:
            raise InvalidInputError(
                f"hyperparameter max_features={self.max_features!r}: expected sqrt, log2 or a number"
            ) from error
        return {**asdict(self), "max_features": share}


def train() -> None:
    """Fit on the channel `train` and write the model."""
    hyperparameters = read_hyperparameters(Hyperparameters, job.root()).of_the_forest()
    plan = job.read_plan(job.training_channel("plan"), RegressionPlan)
    targets, rows = read_labelled_rows(plan)
    # as many threads as there are processors: the forest is the same with any number
    pipeline = build_pipeline(plan, {**hyperparameters, "n_jobs": -1}).fit(frame_of(rows, plan), targets)
    model = job.root() / "model"
    model.mkdir(parents=True, exist_ok=True)
    save_regressor(Regressor(pipeline, plan), model, n_rows=len(rows), hyperparameters=hyperparameters)
    copy_serving_code(SERVE_PROGRAM, model / "code")
    logger.info("fitted the regressor", extra={"rows": len(rows), "features": len(plan.features)})


def read_labelled_rows(plan: RegressionPlan) -> tuple[list[float], list[Features]]:
    """Return targets and features of the channel `train`.

    Raises
    ------
    InvalidInputError
        If there is no file, a row does not parse, or there are no rows.
    """
    rows = read_rows(
        lambda lines: read_each(
            csv_records(lines),
            lambda cells: (parse_number(cells[0], plan.target), features_of(cells[1:], plan)),
        )
    )
    return [target for target, _ in rows], [features for _, features in rows]


def main() -> None:
    """Run as the training job."""
    job.run_job(train)
