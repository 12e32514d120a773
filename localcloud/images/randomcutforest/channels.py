"""Reads the training channels: CSV or RecordIO files, with or without a label in front."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .formats import CSV, RECORDIO, media_type
from .hyperparameters import ClientError
from .recordio import MalformedRecordError, read_records

LABEL_SIZES = {"train": 0, "test": 1}
DISTRIBUTIONS = {"train": "ShardedByS3Key", "test": "FullyReplicated"}


def read_channel(
    name: str, directory: Path, config: Mapping[str, Any], feature_dim: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return features of shape (n_rows, feature_dim), and labels (empty for the channel `train`).

    Parameters
    ----------
    config
        The channel's entry of `inputdataconfig.json`.

    Raises
    ------
    ClientError
        If the channel's type, distribution or content is not what the algorithm takes; names file and line.
    """
    _check_distribution(name, config)
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    if not files:
        raise ClientError(f"no files in the channel {name!r}")
    content_type = str(config.get("ContentType") or RECORDIO)  # the default of AWS's own algorithms
    kind = media_type(content_type)
    if kind == CSV:
        _check_label_size(name, content_type)
        width = feature_dim + LABEL_SIZES[name]
        table = np.concatenate([_csv(path, width) for path in files])
        return table[:, LABEL_SIZES[name] :], table[:, 0] if LABEL_SIZES[name] else np.empty(0, np.float32)
    if kind == RECORDIO:
        return _recordio(files, feature_dim, labelled=name == "test")
    raise ClientError(
        f"content type {content_type!r} of the channel {name!r} is not supported; use {CSV} or {RECORDIO}"
    )


def _check_distribution(name: str, config: Mapping[str, Any]) -> None:
    distribution = config.get("S3DistributionType", DISTRIBUTIONS[name])
    if distribution != DISTRIBUTIONS[name]:
        raise ClientError(
            f"the channel {name!r} needs S3DataDistributionType={DISTRIBUTIONS[name]}, it has {distribution}"
        )


def _check_label_size(name: str, content_type: str) -> None:
    parameters = dict(part.strip().partition("=")[::2] for part in content_type.split(";")[1:])
    expected = LABEL_SIZES[name]
    if parameters.get("label_size", "1") != str(expected):
        raise ClientError(
            f"the channel {name!r} needs the content type '{CSV};label_size={expected}', not {content_type!r}"
        )


def _csv(path: Path, width: int) -> NDArray[np.float32]:
    rows = []
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            cells = line.split(",")
            if len(cells) != width:
                raise ClientError(
                    f"{path.name}, line {number}: {len(cells)} columns; 'feature_dim' asks for {width}"
                )
            rows.append(_numbers(cells, f"{path.name}, line {number}"))
    return np.array(rows, dtype=np.float32).reshape(len(rows), width)


def _numbers(cells: list[str], where: str) -> list[float]:
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError as error:
        raise ClientError(f"{where}: {error}") from error
    if not all(map(math.isfinite, numbers)):
        raise ClientError(f"{where}: a value is not finite")
    return numbers


def _recordio(
    files: list[Path], feature_dim: int, *, labelled: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows: list[NDArray[np.float64]] = []
    labels: list[float] = []
    for path in files:
        for number, (features, label) in enumerate(_records(path), start=1):
            if len(features) != feature_dim or not np.isfinite(features).all():
                raise ClientError(f"{path.name}, record {number}: {feature_dim} finite features are needed")
            if labelled and len(label) != 1:
                raise ClientError(f"{path.name}, record {number}: one label is needed")
            rows.append(features)
            labels.extend(label)
    return np.array(rows, np.float32).reshape(len(rows), feature_dim), np.array(labels, np.float32)


def _records(path: Path) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    try:
        yield from read_records(path.read_bytes())
    except MalformedRecordError as error:
        raise ClientError(f"{path.name}: {error}") from error
