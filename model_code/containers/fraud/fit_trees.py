"""Fits the boosted trees with LightGBM, stopped where the validation time is predicted best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from containers.fraud.hyperparameters import Hyperparameters
from containers.fraud.trees import Trees

_PATIENCE = 40
"""Rounds without a better PR-AUC on the validation time, after which no tree is added."""


def fit_trees(
    numbers: NDArray[np.float32],
    fraud: NDArray[np.bool_],
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    hyperparameters: Hyperparameters,
) -> Trees:
    """Return trees that are fitted on some rows.

    Parameters
    ----------
    numbers
        Of shape (n, n_features), NaN where one is missing; see `Encoding.numbers`.
    train, validation
        Positions of rows.
    """
    import lightgbm  # serving has none

    parameters = {
        "objective": "binary",
        "metric": "average_precision",
        "learning_rate": hyperparameters.tree_lr,
        "num_leaves": hyperparameters.n_leaves,
        "min_child_samples": hyperparameters.least_leaf,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "feature_fraction": 0.8,
        "lambda_l2": 1.0,
        "seed": hyperparameters.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    fitted = lightgbm.Dataset(numbers[train], fraud[train])
    held_out = lightgbm.Dataset(numbers[validation], fraud[validation], reference=fitted)
    booster = lightgbm.train(
        parameters,
        fitted,
        hyperparameters.n_trees,
        valid_sets=[held_out],
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
    )
    return Trees.of(booster.dump_model(num_iteration=booster.best_iteration))
