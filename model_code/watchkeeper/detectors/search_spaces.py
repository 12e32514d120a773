"""The hyperparameters that a search tries, by algorithm: the one place that says so.

DBSCAN's radius is tried as quantiles of the k-distance graph of the rows that are learned (Ester et al.
1996), because a distance that suits three columns is none that sixty-four have. `contamination` decides
where the threshold is and not how rows are ranked.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from watchkeeper.detectors.algorithms import algorithm_of, default_hyperparameters

SearchSpace = dict[str, tuple[Any, ...]]

_CONTAMINATION = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)

SEARCH_SPACES: dict[str, SearchSpace] = {
    "watchkeeper": {"alert_rarity": (3.75, 2.75, 3.0, 3.25, 3.5, 4.0, 4.25)},
    "iqr": {"margin": (1.5, 1.0, 2.0, 3.0, 5.0)},
    "quantile": {"low": (0.005, 0.0, 0.001, 0.01, 0.05), "high": (0.995, 1.0, 0.999, 0.99, 0.95)},
    "persist": {"window": (12, 3, 6, 24, 48), "margin": (3.0, 1.5, 2.0, 5.0, 8.0)},
    "copod": {"contamination": _CONTAMINATION},
    "dbscan": {
        "eps_quantile": (0.95, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98),
        "min_samples": (5, 3, 10, 20),
    },
    "ecod": {"contamination": _CONTAMINATION},
    "elliptic_envelope": {"support_fraction": (None, 0.6, 0.75, 0.9), "contamination": _CONTAMINATION},
    "hbos": {"n_bins": (10, 5, 20, 40), "alpha": (0.1, 0.5), "contamination": _CONTAMINATION},
    "isolation_forest": {
        "n_estimators": (100, 50, 200),
        "max_samples": (256, 64, 1024),
        "max_features": (1.0, 0.5),
        "contamination": _CONTAMINATION,
    },
    "knn": {
        "n_neighbors": (5, 3, 10, 20, 50),
        "method": ("largest", "mean", "median"),
        "contamination": _CONTAMINATION,
    },
    "lof": {"n_neighbors": (20, 5, 10, 35, 50), "contamination": _CONTAMINATION},
    "one_class_svm": {"nu": (0.05, 0.005, 0.01, 0.02, 0.1, 0.2), "gamma": ("scale", 0.01, 0.1, 1.0)},
    "pca": {"n_selected_components": (None, 1, 2), "contamination": _CONTAMINATION},
    "rcf": {"n_trees": (50, 100), "sample_size": (256, 64, 512), "contamination": _CONTAMINATION},
}
"""By algorithm and hyperparameter the values that are tried; what is not named keeps its default."""


def candidates(algorithm: str, limit: int = 12, random_state: int = 0) -> list[dict[str, Any]]:
    """Return at most `limit` different points of an algorithm's space, the documented defaults (`{}`) first.

    The others are drawn without replacement; the same arguments give the same list. A point may not suit the
    rows, such as fewer columns than components: `fit` then raises InvalidInputError.

    Raises
    ------
    InvalidInputError
        There is no such algorithm.
    """
    name = algorithm_of(algorithm)
    space, defaults = SEARCH_SPACES[name], default_hyperparameters(name)
    grid = [dict(zip(space, point, strict=True)) for point in itertools.product(*space.values())]
    others = [point for point in grid if {**defaults, **point} != defaults]
    order = np.random.default_rng(random_state).permutation(len(others))
    return [{}, *(others[place] for place in order[: limit - 1])]
