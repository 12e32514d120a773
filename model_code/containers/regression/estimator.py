"""The regressor as a scikit-learn pipeline, and as an artifact.

The pipeline is stored by joblib, scikit-learn's own way; that is pickle, so it is read only if it is byte for
byte the file that the training job described in the manifest, and by the libraries that wrote it
(docs/adr/0007).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.lifecycle.manifest import MANIFEST_NAME
from watchkeeper.regression.manifest import RegressionManifest, check_artifact
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.rows import Features

ESTIMATOR_NAME = "estimator.joblib"
PLAN_NAME = "plan.json"


@dataclass(frozen=True)
class Regressor:
    """A fitted pipeline and the plan whose rows it takes."""

    pipeline: Any
    plan: RegressionPlan

    def predict(self, rows: Sequence[Features]) -> NDArray[np.float64]:
        """Return one prediction a row, of shape (n_rows,)."""
        predictions: NDArray[np.float64] = self.pipeline.predict(frame_of(rows, self.plan))
        return predictions


def frame_of(rows: Sequence[Features], plan: RegressionPlan) -> pd.DataFrame:
    """Return rows with their column names: what the pipeline chooses its columns by."""
    columns = list(zip(*rows, strict=True))
    return pd.DataFrame(
        {
            column.name: np.array(values, dtype=np.float64 if column.encoding == "numeric" else object)
            for column, values in zip(plan.features, columns, strict=True)
        }
    )


def build_pipeline(plan: RegressionPlan, hyperparameters: dict[str, Any]) -> Pipeline:
    """Return an unfitted pipeline: numeric columns as they are, one-hot columns encoded, then the forest.

    A category that training has not seen is in none of the known ones.
    """
    names: dict[str, list[str]] = {"numeric": [], "one_hot": []}
    for column in plan.features:
        names[column.encoding].append(column.name)
    columns = ColumnTransformer(
        [
            ("numeric", "passthrough", names["numeric"]),
            ("one_hot", OneHotEncoder(handle_unknown="ignore", sparse_output=False), names["one_hot"]),
        ]
    )
    return Pipeline([("columns", columns), ("forest", RandomForestRegressor(**hyperparameters))])


def save_regressor(
    regressor: Regressor, folder: Path, *, n_rows: int, hyperparameters: dict[str, Any]
) -> RegressionManifest:
    """Write the pipeline, the plan and the manifest."""
    content = io.BytesIO()
    joblib.dump(regressor.pipeline, content, compress=3)
    manifest = RegressionManifest.of(
        regressor.plan,
        libraries=installed_libraries(),
        estimator_sha256=hashlib.sha256(content.getvalue()).hexdigest(),
        categories=_categories(regressor),
        n_rows=n_rows,
        hyperparameters=hyperparameters,
    )
    (folder / ESTIMATOR_NAME).write_bytes(content.getvalue())
    (folder / PLAN_NAME).write_text(regressor.plan.to_json())
    (folder / MANIFEST_NAME).write_text(manifest.to_json())
    return manifest


def load_regressor(folder: Path) -> Regressor:
    """Read what `save_regressor` wrote.

    Raises
    ------
    ContractViolationError
        If a file is absent or was changed, or was written by an incompatible release or other libraries.
    """
    try:
        content = (folder / ESTIMATOR_NAME).read_bytes()
        plan = RegressionPlan.from_json((folder / PLAN_NAME).read_bytes())
        manifest = RegressionManifest.from_json((folder / MANIFEST_NAME).read_bytes())
    except FileNotFoundError as error:
        raise ContractViolationError(f"not a regression artifact: {error.filename} is missing") from error
    check_artifact(manifest, plan, installed_libraries(), hashlib.sha256(content).hexdigest())
    pipeline = joblib.load(io.BytesIO(content))
    # trees of one request are too small to be worth threads
    pipeline.named_steps["forest"].n_jobs = 1
    return Regressor(pipeline, plan)


def installed_libraries() -> dict[str, str]:
    """Return the versions of the libraries that an estimator depends on."""
    return {"scikit-learn": sklearn.__version__, "numpy": np.__version__}


def _categories(regressor: Regressor) -> dict[str, list[str]]:
    names = [column.name for column in regressor.plan.features if column.encoding == "one_hot"]
    if not names:
        return {}
    encoder = regressor.pipeline.named_steps["columns"].named_transformers_["one_hot"]
    return {name: list(map(str, known)) for name, known in zip(names, encoder.categories_, strict=True)}
