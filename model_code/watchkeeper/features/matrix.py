"""Feature vectors from rows, in numpy: the same code makes the training set and answers the endpoint.

Every series is centred on its median and divided by a robust scale, both fitted on the training part, so
that one model serves series of different units; a row of a series that training has not seen is centred on
itself. Differences have a scale of their own, because a series' steps are smaller than its range.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.features.scales import Scales, SeriesScale
from watchkeeper.features.schema import (
    CLIP,
    SECONDS_PER_DAY,
    SECONDS_PER_WEEK,
    WEEK_OFFSET_SECONDS,
    feature_dim,
    feature_names,
    schema_hash,
)
from watchkeeper.telemetry.rows import Row
from watchkeeper.telemetry.series import parse_series_key

__all__ = [
    "RowArrays",
    "Scales",
    "SeriesScale",
    "feature_dim",
    "feature_matrix",
    "feature_names",
    "fit_scales",
    "row_arrays",
    "schema_hash",
    "unscaled_feature_matrix",
]

_IQR_TO_SIGMA = 1.349
"""The interquartile range of a normal distribution is 1.349 standard deviations."""

_RELATIVE_FLOOR = 0.01
_SMALLEST_SCALE = 1e-30
"""Smaller spreads count as none, so that dividing by a scale cannot overflow."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RowArrays:
    """Rows as columns."""

    epoch_seconds: NDArray[np.int64]
    """Interval starts, shape (n,)."""
    series: NDArray[np.int64]
    """Index into `names`, shape (n,)."""
    names: tuple[str | None, ...]
    """The different series, in order of their first row; None for rows without one."""
    values: Floats
    """Shape (n,)."""
    lags: Floats
    """Shape (n, shingle - 1), newest first."""


def row_arrays(rows: Iterable[Row], plan: WorkloadPlan) -> RowArrays:
    """Turn rows into columns; lags that a row lacks are filled with its oldest known value."""
    count = plan.features.shingle - 1
    listed = list(rows)
    index: dict[str | None, int] = {}
    series = [index.setdefault(row.series, len(index)) for row in listed]
    return RowArrays(
        np.array([epoch_seconds(row.timestamp) for row in listed], dtype=np.int64),
        np.array(series, dtype=np.int64),
        tuple(index),
        np.array([row.value for row in listed], dtype=np.float64),
        np.array([row.filled(count) for row in listed], dtype=np.float64).reshape(len(listed), count),
    )


def fit_scales(rows: RowArrays) -> Scales:
    """Fit every series' centre and scales on the rows of the training part.

    The centre is the median, a scale is the interquartile range over 1.349: the standard deviation, were
    the values normal. Where the quartiles are equal, it is the standard deviation. A constant has 1 % of
    its magnitude, or 1 where it is 0.

    Raises
    ------
    InvalidInputError
        If there are no rows (reason `too_few_rows`).
    """
    if len(rows.values) == 0:
        raise InvalidInputError("there are no training rows to fit scales on", reason="too_few_rows")
    series = {}
    for position, name in enumerate(rows.names):
        chosen = rows.series == position
        values = rows.values[chosen]
        series[name or ""] = _fit_one(values, rows.lags[chosen])
    groups: dict[str, list[SeriesScale]] = {}
    for name, scale in series.items():
        groups.setdefault(parse_series_key(name).measure if name else "", []).append(scale)
    return Scales(series, {measure: _median_scale(scales) for measure, scales in groups.items()})


def feature_matrix(rows: RowArrays, plan: WorkloadPlan, scales: Scales) -> Floats:
    """Return the feature vectors of rows.

    Returns
    -------
    ndarray of float64, shape (n, feature_dim(plan))
        Columns are `feature_names(plan)`; all finite, scaled columns in [-1e6, 1e6], encodings in [-1, 1].

    Raises
    ------
    InvalidInputError
        If a row is of a series that the scales do not cover; see `Scales.of`.
    """
    of_series = np.array(
        [dataclasses.astuple(scales.of(name)) for name in rows.names], dtype=np.float64
    ).reshape(-1, 3)
    center, scale, difference_scale = of_series[rows.series].T
    window = np.column_stack([rows.values, rows.lags])
    known = np.array([scales.knows(name) for name in rows.names], dtype=bool)[rows.series]
    center = np.where(known, center, np.median(window, axis=1))
    columns = [(window - center[:, None]) / scale[:, None]]
    if plan.features.differences:
        columns.append((window[:, :-1] - window[:, 1:]) / difference_scale[:, None])
    columns = [np.clip(column, -CLIP, CLIP) for column in columns]
    return np.ascontiguousarray(np.hstack([*columns, *_encodings(rows, plan)]))


def unscaled_feature_matrix(rows: RowArrays, plan: WorkloadPlan) -> Floats:
    """Return the feature vectors of rows in the units of the data, as a table of them has them.

    Returns
    -------
    ndarray of float64, shape (n, feature_dim(plan))
        Columns are `feature_names(plan)`, neither centred nor scaled nor cut; encodings in [-1, 1].
    """
    window = np.column_stack([rows.values, rows.lags])
    columns = [window]
    if plan.features.differences:
        columns.append(window[:, :-1] - window[:, 1:])
    return np.ascontiguousarray(np.hstack([*columns, *_encodings(rows, plan)]))


def _encodings(rows: RowArrays, plan: WorkloadPlan) -> list[Floats]:
    columns = []
    if plan.features.time_of_day:
        columns.append(_cycle(rows.epoch_seconds, SECONDS_PER_DAY))
    if plan.features.day_of_week:
        columns.append(_cycle(rows.epoch_seconds + WEEK_OFFSET_SECONDS, SECONDS_PER_WEEK))
    return columns


def _cycle(seconds: NDArray[np.int64], period: int) -> Floats:
    angle = 2 * np.pi * (seconds % period) / period
    return np.column_stack([np.sin(angle), np.cos(angle)])


def _fit_one(values: Floats, lags: Floats) -> SeriesScale:
    previous = lags[:, 0] if lags.shape[1] else np.concatenate([values[:1], values[:-1]])
    center = float(np.median(values))
    floor = _RELATIVE_FLOOR * abs(center)
    floor = floor if floor > _SMALLEST_SCALE else 1.0
    return SeriesScale(center, _robust_scale(values) or floor, _robust_scale(values - previous) or floor)


def _robust_scale(values: Floats) -> float:
    low, high = np.quantile(values, [0.25, 0.75])
    spread = float(high - low) / _IQR_TO_SIGMA or float(np.std(values))
    rounding = np.finfo(np.float64).eps * float(np.abs(values).max())
    return spread if spread > max(rounding, _SMALLEST_SCALE) else 0.0


def _median_scale(scales: list[SeriesScale]) -> SeriesScale:
    center, scale, difference_scale = np.median([dataclasses.astuple(item) for item in scales], axis=0)
    return SeriesScale(float(center), float(scale), float(difference_scale))
