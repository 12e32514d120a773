"""SHAP values of the data set, by the exact method where the model and the configuration allow it."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.io.configuration import ShapSettings
from containers.explain.io.dataset import Dataset, baseline_of_rows, read_baseline
from containers.explain.io.model import Model
from containers.explain.measures.attribution import global_importance
from containers.explain.shap.attribution import Attribution
from containers.explain.shap.clusters import cluster_baseline
from containers.explain.shap.kernel import kernel_shap
from containers.explain.shap.trees import NotTraceableError, find_trees, tree_shap
from containers.runtime.job import only_file
from watchkeeper.core.errors import InvalidInputError

METHOD_VARIABLE = "WATCHKEEPER_SHAP_METHOD"
METHODS = ("auto", "kernel", "tree")
"""`auto`: tree where it can be, else kernel; `tree`: fail where it cannot be."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShapAnalysis:
    """SHAP values, and what they are relative to."""

    attribution: Attribution
    baseline: pd.DataFrame
    baseline_origin: str
    """Where the baseline is from, in words."""
    importance: NDArray[np.float64]
    """Global importance; shape (n_features, n_outputs)."""


def analyse_shap(
    settings: ShapSettings, dataset: Dataset, model: Model, baseline_folder: Path
) -> ShapAnalysis:
    """Explain every row of the data set.

    Raises
    ------
    InvalidInputError
        If the baseline does not fit the features, or log-odds are asked of scores that are no probabilities.
    NotTraceableError
        If `$WATCHKEEPER_SHAP_METHOD` demands the tree method and it does not fit.
    """
    seed = secrets.randbelow(2**32) if settings.seed is None else settings.seed
    baseline, origin = _baseline(settings, dataset, baseline_folder, seed)
    attribution = _attribute(settings, dataset.rows, baseline, model, seed)
    logger.info(
        "explained",
        extra={
            "method": attribution.method,
            "reason": attribution.reason,
            "evaluations": attribution.evaluations,
            "additivity_error": attribution.additivity_error,
        },
    )
    importance = global_importance(attribution.values, settings.agg_method)
    return ShapAnalysis(attribution, baseline, origin, importance)


def _attribute(
    settings: ShapSettings, rows: pd.DataFrame, baseline: pd.DataFrame, model: Model, seed: int
) -> Attribution:
    method = os.environ.get(METHOD_VARIABLE, "auto")
    if method not in METHODS:
        raise InvalidInputError(f"{METHOD_VARIABLE}={method!r}: use {', '.join(METHODS)}")
    reason = "it was asked for"
    if method != "kernel":
        try:
            return _attribute_by_trees(settings, rows, baseline, model)
        except NotTraceableError as error:
            if method == "tree":
                raise
            reason = str(error)
            logger.info("the exact tree method does not fit", extra={"reason": reason})
    return kernel_shap(
        lambda table: model.predict(table).scores,
        rows,
        baseline,
        num_samples=settings.num_samples,
        seed=seed,
        use_logit=settings.use_logit,
        reason=f"Kernel SHAP: {reason}",
    )


def _attribute_by_trees(
    settings: ShapSettings, rows: pd.DataFrame, baseline: pd.DataFrame, model: Model
) -> Attribution:
    if model.loaded is None:
        raise NotTraceableError(f"{model.description} answers, and does not show its trees")
    if settings.use_logit:
        raise NotTraceableError("log-odds are not a sum of trees")
    trees = find_trees(model.loaded, tuple(rows.columns))
    answers = model.predict(pd.concat([rows, baseline], ignore_index=True)).scores
    return tree_shap(trees, rows, baseline, answers[: len(rows)], answers[len(rows) :])


def _baseline(settings: ShapSettings, dataset: Dataset, folder: Path, seed: int) -> tuple[pd.DataFrame, str]:
    given = settings.baseline
    if isinstance(given, str):
        return read_baseline(only_file(folder, "*"), dataset), f"the file {given}"
    if given is not None:
        count = f"{len(given)} row" + ("s" if len(given) > 1 else "")
        return baseline_of_rows(given, dataset), f"{count} of the configuration"
    found = cluster_baseline(dataset.rows, settings.num_clusters, seed)
    return found, f"the middles of {len(found)} k-means cluster" + ("s" if len(found) > 1 else "")
