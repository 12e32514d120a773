"""What is in a feature vector and in which order: known without numpy, so that every part can check it."""

from __future__ import annotations

import json

from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan

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
        "measures": [[measure.name, measure.field, measure.aggregate] for measure in plan.measures],
        "dimensions": plan.dimensions,
    }
    return short_hash(json.dumps(schema, sort_keys=True))
