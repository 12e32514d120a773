"""The preprocessor as a scikit-learn transformer. It is stored as JSON, so that loading it runs no code.

The training job that fits it has the channels `train` (`rows.csv`) and `plan` (`plan.json`); the model has
`preprocessor.json`, `manifest.json` and, in `code/`, what serves it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from containers.runtime import job
from containers.runtime.hyperparameters import read_hyperparameters
from containers.runtime.training import copy_serving_code, manifest_of, read_training_rows
from watchkeeper.core.documents import plain, read_part
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.features.matrix import Scales, feature_matrix, feature_names, fit_scales, row_arrays
from watchkeeper.lifecycle.manifest import MANIFEST_NAME, ArtifactManifest, check
from watchkeeper.telemetry.rows import Row

PREPROCESSOR_NAME = "preprocessor.json"


class FeaturePreprocessor(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Rows to feature vectors, scaled by what the training rows were like.

    Parameters
    ----------
    plan : WorkloadPlan
        Which features, and of which interval.

    Attributes
    ----------
    scales_ : Scales
        Centre and scales of each series, fitted on the training rows only.
    n_features_out_ : int
        Length of the feature vector.

    Examples
    --------
    >>> from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan
    >>> from watchkeeper.telemetry.rows import parse_rows
    >>> measures = (MeasurePlan("m", "m"),)
    >>> plan = WorkloadPlan("w", TimestampPlan("t"), measures, 60, features=FeaturePlan(shingle=2))
    >>> rows = list(parse_rows(["2024-01-01,m,1", "2024-01-01 00:01:00,m,3,1"]))
    >>> FeaturePreprocessor(plan).fit_transform(rows).shape
    (2, 3)
    """

    def __init__(self, plan: WorkloadPlan) -> None:
        self.plan = plan

    def fit(self, X: Sequence[Row], y: None = None) -> FeaturePreprocessor:
        """Fit the scales on the rows of the training part.

        Raises
        ------
        InvalidInputError
            If there are no rows.
        """
        del y
        self.scales_ = fit_scales(row_arrays(X, self.plan))
        self.n_features_out_ = len(feature_names(self.plan))
        return self

    def transform(self, X: Sequence[Row]) -> NDArray[np.float64]:
        """Return the feature vectors of rows.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_features_out_)

        Raises
        ------
        InvalidInputError
            If a row is of a measure that was not fitted.
        """
        check_is_fitted(self, "scales_")
        return feature_matrix(row_arrays(X, self.plan), self.plan, self.scales_)

    def get_feature_names_out(self, input_features: None = None) -> NDArray[np.object_]:
        """Return the names of the columns that `transform` gives."""
        del input_features
        return np.array(feature_names(self.plan), dtype=object)


def save_preprocessor(preprocessor: FeaturePreprocessor, manifest: ArtifactManifest, folder: Path) -> None:
    """Write a fitted preprocessor and its manifest."""
    document = {"plan": preprocessor.plan.to_dict(), "scales": plain(preprocessor.scales_)}
    (folder / PREPROCESSOR_NAME).write_text(json.dumps(document, sort_keys=True, allow_nan=False))
    (folder / MANIFEST_NAME).write_text(manifest.to_json())


def load_preprocessor(folder: Path) -> FeaturePreprocessor:
    """Read a fitted preprocessor.

    Raises
    ------
    ContractViolationError
        If the files are absent, or were written by an incompatible release.
    """
    try:
        document = json.loads((folder / PREPROCESSOR_NAME).read_bytes())
        manifest = ArtifactManifest.from_json((folder / MANIFEST_NAME).read_bytes())
    except FileNotFoundError as error:
        raise ContractViolationError(f"not a preprocessor artifact: {error.filename} is missing") from error
    plan = WorkloadPlan.from_dict(document["plan"])
    check(manifest, plan)
    preprocessor = FeaturePreprocessor(plan)
    preprocessor.scales_ = read_part(Scales, document["scales"], "scales")
    preprocessor.n_features_out_ = len(feature_names(plan))
    return preprocessor


SERVE_PROGRAM = "serve_preprocessor.py"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hyperparameters:
    """The preprocessor has none: the plan says everything. Any other than the toolkit's own is refused."""


def train() -> None:
    """Fit on the channel `train` and write the model."""
    read_hyperparameters(Hyperparameters, job.root())
    plan = job.read_plan(job.training_channel("plan"), WorkloadPlan)
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
