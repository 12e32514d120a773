"""Models and rows that are explained."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVR

from cli.datasets import ABALONE, located

N_TRAIN = 3_000
FEATURES = (
    *("sex", "length", "diameter", "height", "whole_weight", "shucked_weight", "viscera_weight"),
    "shell_weight",
)


@dataclass(frozen=True)
class Subject:
    """A fitted model, rows to explain, and the baseline: one row, the mean of the training rows."""

    name: str
    model: Any
    rows: pd.DataFrame
    baseline: pd.DataFrame

    @property
    def predict(self) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """The model as shap wants it: an array in, a number a row out."""
        return self.model.predict  # type: ignore[no-any-return]  # scikit-learn is untyped

    def predict_table(self, table: pd.DataFrame) -> NDArray[np.float64]:
        """The model as the job wants it."""
        scores: NDArray[np.float64] = self.model.predict(table.to_numpy())[:, None]
        return scores


def models() -> dict[str, Any]:
    """Return unfitted models of different kinds and costs."""

    def prepared(estimator: Any) -> Any:
        columns = ColumnTransformer([("sex", OneHotEncoder(), [0])], remainder=StandardScaler())
        return make_pipeline(columns, estimator)

    return {
        "random forest, 100 trees": prepared(
            RandomForestRegressor(100, min_samples_leaf=2, n_jobs=1, random_state=0)
        ),
        "boosted trees, 100": prepared(GradientBoostingRegressor(random_state=0)),
        "ridge regression": prepared(Ridge()),
        "neural network, 32": prepared(MLPRegressor(hidden_layer_sizes=(32,), max_iter=200, random_state=0)),
        "nearest neighbours": prepared(KNeighborsRegressor()),
        "support vectors": prepared(SVR()),
    }


def abalone(name: str, model: Any, n_rows: int) -> Subject:
    """Return a model of UCI's abalones: eight features, of which one is categorical, as codes 0, 1 and 2."""
    features, target = _table()
    model.fit(features[:N_TRAIN].to_numpy(), target[:N_TRAIN])
    baseline = features[:N_TRAIN].mean().to_frame().T
    baseline["sex"] = 2.0
    return Subject(name, model, _rows(features[N_TRAIN:], n_rows), baseline)


def wide(n_features: int, n_rows: int) -> Subject:
    """Return a forest on drawn numbers, for the growth with features."""
    generator = np.random.default_rng(0)
    table = pd.DataFrame(
        generator.normal(size=(2_000, n_features)), columns=[f"x{index}" for index in range(n_features)]
    )
    target = table.iloc[:, :4].sum(axis=1) + table["x0"] * table["x1"] + generator.normal(size=len(table)) / 4
    forest = RandomForestRegressor(50, min_samples_leaf=5, n_jobs=1, random_state=0)
    forest.fit(table.to_numpy(), target)
    return Subject(f"{n_features} features", forest, _rows(table, n_rows), table.mean().to_frame().T)


def whole_numbers(n_rows: int) -> Subject:
    """Return a forest on the abalones' seven measures in units of 1/10,000, which single precision holds."""
    features, target = _table()
    table = (features.drop(columns="sex") * 10_000).round()
    forest = RandomForestRegressor(100, n_jobs=1, random_state=0)
    forest.fit(table[:N_TRAIN].to_numpy(), target[:N_TRAIN])
    return Subject("forest on whole numbers", forest, _rows(table[N_TRAIN:], n_rows), table[:1])


def published_numbers(n_rows: int) -> Subject:
    """Return the same forest on the measures as they are published, with three or four decimals."""
    features, target = _table()
    table = features.drop(columns="sex")
    forest = RandomForestRegressor(100, n_jobs=1, random_state=0)
    forest.fit(table[:N_TRAIN].to_numpy(), target[:N_TRAIN])
    return Subject("forest on published numbers", forest, _rows(table[N_TRAIN:], n_rows), table[:1])


def _table() -> tuple[pd.DataFrame, NDArray[np.float64]]:
    with located(ABALONE).open(encoding="utf-8") as file:
        rows = [["FIM".index(row[0]), *map(float, row[1:])] for row in csv.reader(file) if row]
    table = pd.DataFrame(rows, columns=[*FEATURES, "rings"])
    return table[list(FEATURES)].astype(float), table["rings"].to_numpy()


def _rows(table: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    times = -(-n_rows // len(table))
    return pd.concat([table] * times, ignore_index=True)[:n_rows]
