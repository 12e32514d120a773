"""Hyperparameters of the built-in algorithm, with the ranges that AWS documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METRICS = ("accuracy", "precision_recall_fscore")
RANGES = {
    "feature_dim": (1, 10_000),
    "num_trees": (50, 1_000),
    "num_samples_per_tree": (1, 2_048),
    "mini_batch_size": (1, 10**9),
}


class ClientError(ValueError):
    """What the user must change; SageMaker shows it as `AlgorithmError: ... ClientError: ...`."""


@dataclass(frozen=True)
class Hyperparameters:
    """Decoded hyperparameters."""

    feature_dim: int
    num_trees: int = 100
    num_samples_per_tree: int = 256
    eval_metrics: tuple[str, ...] = METRICS
    mini_batch_size: int = 1_000


def parse_hyperparameters(document: Mapping[str, Any]) -> Hyperparameters:
    """Decode the strings of `hyperparameters.json`.

    Raises
    ------
    ClientError
        If one is missing, unknown, of the wrong type or out of range.
    """
    unknown = sorted(set(document) - set(RANGES) - {"eval_metrics"})
    if unknown:
        raise ClientError(
            f"Additional hyperparameters are not allowed ({unknown[0]!r} was unexpected); "
            f"allowed: {', '.join(sorted([*RANGES, 'eval_metrics']))}"
        )
    if "feature_dim" not in document:
        raise ClientError("No value(s) were specified for 'feature_dim' which are required hyperparameter(s)")
    values: dict[str, Any] = {name: _integer(name, document[name]) for name in RANGES if name in document}
    if "eval_metrics" in document:
        values["eval_metrics"] = _metrics(document["eval_metrics"])
    return Hyperparameters(**values)


def _integer(name: str, value: object) -> int:
    low, high = RANGES[name]
    try:
        number = int(str(value))
    except ValueError as error:
        raise ClientError(f"{value!r} is not of type 'integer' for hyperparameter {name!r}") from error
    if not low <= number <= high:
        raise ClientError(f"{number} is not in the range [{low}, {high}] of hyperparameter {name!r}")
    return number


def _metrics(value: object) -> tuple[str, ...]:
    try:
        metrics = json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError as error:
        raise ClientError(f"{value!r} is not of type 'array' for hyperparameter 'eval_metrics'") from error
    if not isinstance(metrics, list) or any(metric not in METRICS for metric in metrics):
        raise ClientError(
            f"{value!r} is not an array of {', '.join(METRICS)} for hyperparameter 'eval_metrics'"
        )
    return tuple(metrics)
