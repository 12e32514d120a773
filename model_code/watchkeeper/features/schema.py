"""What is in a feature vector and in which order, and the vector of one row: without numpy, so that every
part can check it and the Lambda functions can make it.

The vector's rule is that of `watchkeeper.features.matrix.feature_matrix`; a test holds the two together.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics

from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import FeaturePlan, WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.features.scales import Scales
from watchkeeper.telemetry.rows import Row

FEATURES_VERSION = 1
"""Changes whenever a feature of the same name is computed differently."""

CLIP = 1e6
"""Scaled features are cut at ± this many scales: finite in single precision, whatever the input."""
SECONDS_PER_DAY = 86_400
SECONDS_PER_WEEK = 7 * SECONDS_PER_DAY
WEEK_OFFSET_SECONDS = 3 * SECONDS_PER_DAY
"""1970-01-01 was a Thursday, three days after the Monday that weeks begin with."""


def feature_names(plan: WorkloadPlan) -> list[str]:
    """Return the names of the features in the vector's order.

    The value; the shingle's lags, newest first; first differences within the shingle, newest first; sine
    and cosine of the time of day and of the day of week, in UTC.

    Examples
    --------
    >>> from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan
    >>> measures = (MeasurePlan("m", "m"),)
    >>> plan = WorkloadPlan("w", TimestampPlan("t"), measures, 60, features=FeaturePlan(shingle=2))
    >>> feature_names(plan)
    ['value', 'lag_1', 'difference_1']
    """
    features = plan.features
    lags = range(1, features.shingle)
    names = ["value", *(f"lag_{lag}" for lag in lags)]
    if features.differences:
        names += [f"difference_{lag}" for lag in lags]
    if features.time_of_day:
        names += ["time_of_day_sin", "time_of_day_cos"]
    if features.day_of_week:
        names += ["day_of_week_sin", "day_of_week_cos"]
    return names


def feature_dim(plan: WorkloadPlan) -> int:
    """Return the length of the feature vector."""
    return len(feature_names(plan))


def schema_hash(plan: WorkloadPlan) -> str:
    """Return what identifies a feature vector's meaning.

    Two plans with the same hash make the same vectors of the same rows: it covers the features, their
    order and version, the interval and the measures' aggregates. A model serves only rows of its own
    hash.
    """
    schema = {
        "version": FEATURES_VERSION,
        "features": feature_names(plan),
        "interval_seconds": plan.interval_seconds,
        "max_gap_intervals": plan.max_gap_intervals,
        "measures": [
            [one.name, one.field, one.aggregate, *([] if one.missing is None else [one.missing])]
            for one in plan.measures
        ],
        "dimensions": plan.dimensions,
    }
    return short_hash(json.dumps(schema, sort_keys=True))


def feature_vector(row: Row, features: FeaturePlan, scales: Scales) -> list[float]:
    """Return a row's features, in the order of `feature_schema.feature_names`.

    Raises
    ------
    InvalidInputError
        If the row is of a series that the scales do not cover; see `Scales.of`.
    """
    scale = scales.of(row.series)
    window = (row.value, *row.filled(features.shingle - 1))
    center = scale.center if scales.knows(row.series) else statistics.median(window)
    vector = [_clipped((value - center) / scale.scale) for value in window]
    if features.differences:
        vector += [
            _clipped((newer - older) / scale.difference_scale) for newer, older in itertools.pairwise(window)
        ]
    seconds = epoch_seconds(row.timestamp)
    if features.time_of_day:
        vector += _cycle(seconds, SECONDS_PER_DAY)
    if features.day_of_week:
        vector += _cycle(seconds + WEEK_OFFSET_SECONDS, SECONDS_PER_WEEK)
    return vector


def _clipped(value: float) -> float:
    return min(max(value, -CLIP), CLIP)


def _cycle(seconds: int, period: int) -> list[float]:
    angle = 2 * math.pi * (seconds % period) / period
    return [math.sin(angle), math.cos(angle)]
