"""Abalones: the public data where they are, else drawn ones of the same kind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NAMES = [
    *("Sex", "Length", "Diameter", "Height", "WholeWeight", "ShuckedWeight", "VisceraWeight", "ShellWeight"),
    "Rings",
]
NUMBERS = NAMES[1:-1]
N_TRAIN = 1_500


def abalones() -> pd.DataFrame:
    path = Path(os.environ.get("WATCHKEEPER_DATA_DIR", "/nowhere")) / "abalone" / "abalone.data"
    if path.is_file():
        table = pd.read_csv(path, header=None, names=NAMES)
        return table.astype({"Sex": object})
    generator = np.random.default_rng(0)
    n = 4_177
    length = generator.beta(5, 3, n) * 0.8
    table = pd.DataFrame({"Sex": generator.choice(["M", "F", "I"], n), "Length": length})
    table["Diameter"] = length * 0.8 + generator.normal(0, 0.01, n)
    table["Height"] = length * 0.27 + generator.normal(0, 0.01, n)
    table["WholeWeight"] = length**3 * 4.5
    for name, share in (("ShuckedWeight", 0.43), ("VisceraWeight", 0.22), ("ShellWeight", 0.28)):
        table[name] = table["WholeWeight"] * share * generator.normal(1, 0.1, n)
    rings = 3 + 12 * table["ShellWeight"] + 8 * length - 4 * table["ShuckedWeight"]
    table["Rings"] = (rings - (table["Sex"] == "I") + generator.normal(0, 1, n)).round().astype(int)
    return table.round(4).astype({"Sex": object})


@dataclass(frozen=True)
class Abalone:
    """A forest behind one-hot encoding and scaling, and rows that it has not seen."""

    table: pd.DataFrame
    pipeline: Any
    rows: pd.DataFrame
    baseline: pd.DataFrame

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return self.pipeline.predict(rows)[:, None]


@pytest.fixture(scope="session")
def abalone() -> Abalone:
    table = abalones()
    features = table[NAMES[:-1]]
    preparation = ColumnTransformer(
        [("sex", OneHotEncoder(), ["Sex"]), ("numbers", StandardScaler(), NUMBERS)]
    )
    forest = RandomForestRegressor(20, min_samples_leaf=2, random_state=0)
    pipeline = make_pipeline(preparation, forest).fit(features[:N_TRAIN], table["Rings"][:N_TRAIN])
    rows = features[N_TRAIN : N_TRAIN + 40].reset_index(drop=True)
    baseline = features[:2].reset_index(drop=True)
    return Abalone(table, pipeline, rows, baseline)
