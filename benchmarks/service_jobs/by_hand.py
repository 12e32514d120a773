"""A table judged by hand, in a process of its own: pandas reads all of it, the library scores all of it."""

from __future__ import annotations

import importlib
import json
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.service_jobs.peers import peer_of
from containers.runtime.memory import peak_memory_bytes

WINDOW = 12


def save_fitted(algorithm: str, training: Path, path: Path, eps: float | None) -> Path:
    """Fit the library's detector to a training table and keep it with its scaler, as one would by hand.

    Parameters
    ----------
    eps
        DBSCAN's radius, which its users choose themselves.
    """
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import StandardScaler

    rows = pd.read_csv(training).iloc[:, 1:].to_numpy()
    scaler = StandardScaler().fit(rows)
    scaled = scaler.transform(rows)
    if algorithm == "DBSCAN":
        cores = DBSCAN(eps=eps, min_samples=5).fit(scaled).components_
        fitted: Any = NearestNeighbors(n_neighbors=1).fit(cores)
    else:
        fitted = peer_of(algorithm).fit(scaled)
    path.write_bytes(pickle.dumps((scaler, fitted, eps)))
    return path


def judge_model(frame: pd.DataFrame, fitted: Path) -> pd.DataFrame:
    """Return label and score of each row."""
    scaler, detector, eps = pickle.loads(fitted.read_bytes())  # written by save_fitted
    scaled = scaler.transform(frame.iloc[:, 1:].to_numpy())
    if eps is not None:
        scores = detector.kneighbors(scaled)[0][:, 0]
        return pd.DataFrame({"label": (scores > eps).astype(int), "score": scores})
    scores = detector.decision_function(scaled)
    if hasattr(detector, "decision_scores_"):
        return pd.DataFrame({"label": (scores > detector.threshold_).astype(int), "score": scores})
    return pd.DataFrame({"label": (scores < 0).astype(int), "score": -scores})


def judge_rule(frame: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return label and score of each row, and of each column by itself."""
    values = frame.iloc[:, 1:]
    if method == "persist":
        changes = values - values.rolling(WINDOW).median().shift()
        width = changes.quantile(0.75) - changes.quantile(0.25)
        scores = changes.abs() / width - 3.0
    else:
        low, high, margin = (0.25, 0.75, 1.5) if method == "iqr" else (0.005, 0.995, 0.0)
        first, last = values.quantile(low), values.quantile(high)
        width = last - first
        scores = np.maximum(first - margin * width - values, values - last - margin * width) / width
    labels = (scores > 0).astype(int)
    whole = pd.DataFrame({"label": labels.max(axis=1), "score": scores.max(axis=1)})
    return pd.concat([whole, labels.add_suffix("_label"), scores.add_suffix("_score")], axis=1)


def main() -> None:
    """Read, judge, write, tell."""
    features, what, fitted, predictions = sys.argv[1:]
    for module in ("pyod.models.ecod", "sklearn.ensemble", "sklearn.neighbors"):
        importlib.import_module(module)  # time begins after the imports
    began = time.process_time()
    frame = pd.read_csv(features)
    found = judge_model(frame, Path(fitted)) if fitted else judge_rule(frame, what)
    found.to_csv(predictions, index_label="row")
    print(json.dumps({"seconds": time.process_time() - began, "peak_mib": peak_memory_bytes() / 2**20}))


if __name__ == "__main__":
    main()
