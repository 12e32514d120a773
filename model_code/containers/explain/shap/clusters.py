"""A baseline where none is given: a few rows that stand for the data set, found by k-means."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.io.dataset import is_number

MAX_CLUSTERS = 12
"""Clarify chooses between 1 and 12 clusters."""
CLEAR_SILHOUETTE = 0.25
"""Below this mean silhouette the data are taken as one cluster (Kaufman and Rousseeuw, "Finding groups in
data", 1990: no substantial structure)."""
SILHOUETTE_ROWS = 2_000
RESTARTS = 4


def cluster_baseline(rows: pd.DataFrame, num_clusters: int | None, seed: int) -> pd.DataFrame:
    """Return one row a cluster: the mean of each column of numbers, the most frequent category of each other.

    Parameters
    ----------
    rows
        A table with at least one row.
    num_clusters
        How many; none: the number from 2 to 12 with the largest mean silhouette, or one cluster where that
        shows no structure. There are never more clusters than different rows.
    seed
        Of the generator.

    Notes
    -----
    Numbers are standardised and categories made columns of 0 and 1 for the distances only. Missing numbers
    count as the column's mean, and are left out of a cluster's mean.
    """
    from threadpoolctl import threadpool_limits

    points = _points(rows)
    n_different = len(np.unique(points, axis=0))
    with threadpool_limits(1):  # threads take longer than the work, and their order shows in the last digits
        if num_clusters is None:
            members = _best_clustering(points, n_different, seed)
        else:
            members = _cluster(points, min(num_clusters, n_different), seed)
    return pd.DataFrame([_middle(rows[members == k]) for k in np.unique(members)], columns=rows.columns)


def _best_clustering(points: NDArray[np.float64], n_different: int, seed: int) -> NDArray[np.int64]:
    from sklearn.metrics import silhouette_score

    best, members = CLEAR_SILHOUETTE, np.zeros(len(points), dtype=np.int64)
    for k in range(2, min(MAX_CLUSTERS, n_different - 1) + 1):
        found = _cluster(points, k, seed)
        sample = min(SILHOUETTE_ROWS, len(points))
        score = silhouette_score(points, found, sample_size=sample, random_state=seed)
        if score > best:
            best, members = score, found
    return members


def _cluster(points: NDArray[np.float64], k: int, seed: int) -> NDArray[np.int64]:
    from sklearn.cluster import KMeans

    members: NDArray[np.int64] = KMeans(k, n_init=RESTARTS, random_state=seed).fit_predict(points)
    return members


def _points(rows: pd.DataFrame) -> NDArray[np.float64]:
    columns = []
    for name in rows.columns:
        if is_number(rows[name]):
            values = rows[name].to_numpy(dtype=np.float64)
            values = np.nan_to_num(values, nan=float(np.nanmean(values)))
            deviation = values.std()
            columns.append(((values - values.mean()) / deviation if deviation else values * 0.0)[:, None])
        else:
            columns.append(pd.get_dummies(rows[name], dummy_na=False).to_numpy(dtype=np.float64))
    return np.concatenate(columns, axis=1)


def _middle(rows: pd.DataFrame) -> list[object]:
    middle: list[object] = []
    for name in rows.columns:
        column = rows[name].dropna()
        if is_number(rows[name]):
            middle.append(float(column.mean()) if len(column) else np.nan)
        else:
            middle.append(column.mode().iloc[0] if len(column) else np.nan)
    return middle
