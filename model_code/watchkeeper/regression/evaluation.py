"""The result of evaluating a regression model: what the gate decides on and what a release is made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document
from watchkeeper.regression.plan import REGRESSION

EVALUATION_VERSION = 1


@dataclass(frozen=True)
class RegressionMetrics:
    """How one model predicted the held-back rows, in the target's unit."""

    n: int
    """Rows."""
    rmse: float
    """Root of the mean squared error."""
    mae: float
    """Mean absolute error."""
    r2: float | None
    """Coefficient of determination; None where all targets are equal."""


@dataclass(frozen=True)
class RegressionEvaluation(Document, name="evaluation", indent=2):
    """The document `evaluation.json` of a regression workload."""

    workload: str
    run_id: str
    schema_hash: str
    """See `watchkeeper.regression.manifest.schema_hash`."""
    candidate: RegressionMetrics
    baseline: RegressionMetrics
    """The mean of the training part, whatever the row."""
    champion: RegressionMetrics | None
    """The model in service on the same rows; None where none can answer them."""
    n_train: int
    """Rows that the candidate was trained on."""
    kind: Literal["regression"] = REGRESSION
    version: int = EVALUATION_VERSION


def measure_predictions(targets: Sequence[float], predictions: Sequence[float]) -> RegressionMetrics:
    """Compare predictions with what they should have been.

    Parameters
    ----------
    targets, predictions
        Of the same rows in the same order; at least one.

    Examples
    --------
    >>> measure_predictions([1.0, 3.0], [2.0, 2.0])
    RegressionMetrics(n=2, rmse=1.0, mae=1.0, r2=0.0)
    """
    errors = [prediction - target for target, prediction in zip(targets, predictions, strict=True)]
    n = len(errors)
    mean = math.fsum(targets) / n
    spread = math.fsum((target - mean) ** 2 for target in targets)
    squared = math.fsum(error**2 for error in errors)
    return RegressionMetrics(
        n=n,
        rmse=math.sqrt(squared / n),
        mae=math.fsum(map(abs, errors)) / n,
        r2=1.0 - squared / spread if spread else None,
    )
