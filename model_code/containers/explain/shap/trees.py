"""Tree ensembles as arrays, with the input column of each of their columns: what the exact method works on.

A pipeline's preprocessing may only turn each input column by itself into columns of its own: then to replace
an input is to replace its columns, and the exact method on groups of columns is exact on the inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.shap.attribution import Attribution
from containers.explain.shap.tree_paths import MAX_GROUPS, attribute
from watchkeeper.core.errors import InvalidInputError

TOLERANCE = 1e-9
"""Of the values' sum from the model's answer, relative to the largest answer."""

_EACH_BY_ITSELF = frozenset(
    {
        *("Binarizer", "MaxAbsScaler", "MinMaxScaler", "OrdinalEncoder", "PowerTransformer"),
        *("QuantileTransformer", "RobustScaler", "StandardScaler"),
    }
)
"""Transformers of scikit-learn that make one column of each."""
_ENSEMBLES = (
    *("RandomForestRegressor", "ExtraTreesRegressor", "DecisionTreeRegressor", "ExtraTreeRegressor"),
    "GradientBoostingRegressor",
)


class NotTraceableError(InvalidInputError):
    """The exact tree method does not fit the model; the text says why."""


@dataclass(frozen=True)
class TreeModel:
    """A tree ensemble behind its preprocessing."""

    transform: Any
    """Preprocessing of a table of the inputs: an object with `transform`; none where there is none."""
    names: tuple[str, ...] | None
    """Names of the inputs, as the model was fitted with them; none: they have positions only."""
    inputs: NDArray[np.int64]
    """The input of each of the trees' columns."""
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    column: NDArray[np.int64]
    threshold: NDArray[np.float64]
    value: NDArray[np.float64]
    """Of each node, times the weight of its tree."""
    missing_left: NDArray[np.bool_]
    roots: NDArray[np.int64]

    def columns(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """Return the trees' columns of some rows, with the precision that scikit-learn compares at."""
        table = rows if self.names is None else rows[list(self.names)]
        prepared = table if self.transform is None else self.transform.transform(table)
        if hasattr(prepared, "toarray"):
            prepared = prepared.toarray()
        return np.asarray(prepared, dtype=np.float32).astype(np.float64)


def find_trees(loaded: Any, features: tuple[str, ...]) -> TreeModel:
    """Return the tree ensemble in what `model_fn` returned.

    Raises
    ------
    NotTraceableError
        If there is none, or its preprocessing mixes columns.
    """
    estimator = _estimator(loaded)
    steps = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [estimator]
    steps = [step for step in steps if step not in (None, "passthrough")]
    *before, ensemble = steps
    if _kind(ensemble) not in _ENSEMBLES:
        raise NotTraceableError(f"{_kind(ensemble)} is not one of {', '.join(_ENSEMBLES)}")
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and not set(names) <= set(features):
        raise NotTraceableError("the model was fitted on columns that the data set does not have")
    n_inputs = int(estimator.n_features_in_)
    if names is None and n_inputs != len(features):
        raise NotTraceableError(f"the model has {n_inputs} inputs, the data set has {len(features)} features")
    inputs = np.arange(n_inputs)
    for step in before:
        inputs = _trace(step, inputs)
    if len(inputs) != ensemble.n_features_in_:
        raise NotTraceableError(
            f"the trees have {ensemble.n_features_in_} columns, {len(inputs)} can be traced"
        )
    position = np.array([features.index(name) for name in names] if names is not None else range(n_inputs))
    if len(features) > MAX_GROUPS:
        raise NotTraceableError(f"there are more than {MAX_GROUPS} features")
    transform = None if not before else estimator[:-1]
    return _arrays(ensemble, transform, None if names is None else tuple(names), position[inputs])


def tree_shap(
    trees: TreeModel,
    rows: pd.DataFrame,
    baseline: pd.DataFrame,
    scores: NDArray[np.float64],
    baseline_scores: NDArray[np.float64],
) -> Attribution:
    """Explain rows by the trees' own structure.

    Parameters
    ----------
    scores, baseline_scores
        The model's answers, of shape (n, 1): the values must add up to them.

    Raises
    ------
    NotTraceableError
        If they do not: then the model does something with the sum of its trees.
    """
    x, b = trees.columns(rows), trees.columns(baseline)
    answers = np.concatenate([scores, baseline_scores])
    if answers.shape[1] != 1:
        raise NotTraceableError(f"the model gives {answers.shape[1]} scores a row")
    nodes = (trees.left, trees.right, trees.column, trees.threshold, trees.value, trees.missing_left)
    values = attribute(x, b, nodes, trees.roots, trees.inputs, rows.shape[1])
    found = Attribution(
        values=values[:, :, None],
        expected=baseline_scores.mean(axis=0),
        scores=scores,
        linked=scores,
        method="tree",
        evaluations=len(answers),
        coalitions=0,
        seed=None,
        reason="the model is a tree ensemble whose columns can be traced to the inputs",
    )
    if found.additivity_error > TOLERANCE * max(1.0, float(np.abs(answers).max())):
        raise NotTraceableError(
            f"the model's answers are not the sum of its trees (by {found.additivity_error:.3g})"
        )
    return found


def _estimator(loaded: Any) -> Any:
    """Return the one estimator of scikit-learn in an object: itself, or one of its attributes or items."""
    from sklearn.base import BaseEstimator

    if isinstance(loaded, BaseEstimator):
        return loaded
    if isinstance(loaded, Mapping):
        parts = list(loaded.values())
    elif isinstance(loaded, list | tuple):
        parts = list(loaded)
    else:
        parts = list(getattr(loaded, "__dict__", {}).values())
    found = [part for part in parts if isinstance(part, BaseEstimator)]
    if len(found) != 1:
        raise NotTraceableError(
            f"the model ({type(loaded).__name__}) does not hold one scikit-learn estimator, but {len(found)}"
        )
    return found[0]


def _kind(estimator: Any) -> str:
    """Return the class of an estimator; where it is not scikit-learn's own, with its module."""
    kind = type(estimator)
    return kind.__name__ if kind.__module__.startswith("sklearn.") else f"{kind.__module__}.{kind.__name__}"


def _trace(step: Any, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the input of each column that a transformer makes of columns with these inputs."""
    if isinstance(step, str) and step == "passthrough":
        return inputs
    name = _kind(step)
    if name in _EACH_BY_ITSELF:
        return inputs
    if name == "FunctionTransformer" and step.func is None:
        return inputs
    if name == "SimpleImputer" and not step.add_indicator:
        return inputs if step.keep_empty_features else inputs[~pd.isna(step.statistics_)]
    if name == "OneHotEncoder":
        return np.repeat(inputs, _one_hot_widths(step))
    if name == "Pipeline":
        for _, part in step.steps:
            inputs = _trace(part, inputs)
        return inputs
    if name == "ColumnTransformer":
        return _trace_columns(step, inputs)
    raise NotTraceableError(f"the columns of {name} cannot be traced to single inputs")


def _trace_columns(step: Any, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
    names = list(getattr(step, "feature_names_in_", range(step.n_features_in_)))
    traced = []
    for _, transformer, columns in step.transformers_:
        if isinstance(transformer, str) and transformer == "drop":
            continue
        if isinstance(columns, slice):
            positions = list(range(len(names)))[columns]
        else:
            chosen = [columns] if isinstance(columns, str | int) else list(columns)
            if chosen and isinstance(chosen[0], bool | np.bool_):
                positions = [index for index, taken in enumerate(chosen) if taken]
            else:
                positions = [names.index(item) if isinstance(item, str) else int(item) for item in chosen]
        if positions:
            traced.append(_trace(transformer, inputs[positions]))
    return np.concatenate(traced)


def _one_hot_widths(encoder: Any) -> list[int]:
    infrequent = getattr(encoder, "infrequent_categories_", [None] * len(encoder.categories_))
    widths = []
    for index, categories in enumerate(encoder.categories_):
        rare = infrequent[index]
        width = len(categories) - (0 if rare is None else len(rare) - 1)
        dropped = encoder.drop_idx_ is not None and encoder.drop_idx_[index] is not None
        widths.append(width - dropped)
    return widths


def _arrays(
    ensemble: Any, transform: Any, names: tuple[str, ...] | None, inputs: NDArray[np.int64]
) -> TreeModel:
    members = np.ravel(getattr(ensemble, "estimators_", [ensemble])).tolist()
    boosted = _kind(ensemble) == "GradientBoostingRegressor"
    # What a boosted ensemble begins with is in no tree; where it is no constant, the values do not add up.
    weight = ensemble.learning_rate if boosted else 1.0 / len(members)
    if ensemble.__dict__.get("n_outputs_", 1) != 1:
        raise NotTraceableError(f"the trees have {ensemble.n_outputs_} outputs")
    trees = [member.tree_ for member in members]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])

    def children(side: str) -> NDArray[np.int64]:
        return np.concatenate(
            [
                np.where(getattr(tree, side) < 0, -1, getattr(tree, side) + start)
                for tree, start in zip(trees, starts[:-1], strict=True)
            ]
        )

    return TreeModel(
        transform=transform,
        names=names,
        inputs=inputs.astype(np.int64),
        left=children("children_left"),
        right=children("children_right"),
        column=np.concatenate([tree.feature for tree in trees]),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        value=np.concatenate([tree.value[:, 0, 0] for tree in trees]) * weight,
        missing_left=np.concatenate([np.asarray(tree.missing_go_to_left, dtype=bool) for tree in trees]),
        roots=starts[:-1].astype(np.int64),
    )
