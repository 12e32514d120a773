"""The feature vector of one row without numpy, for the Lambda functions.

The rule is that of `watchkeeper.features.matrix.feature_matrix`; a test holds the two together.
"""

from __future__ import annotations

import itertools
import math

from watchkeeper.core.plan import FeaturePlan
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.features.scales import Scales
from watchkeeper.features.schema import CLIP, SECONDS_PER_DAY, SECONDS_PER_WEEK, WEEK_OFFSET_SECONDS
from watchkeeper.telemetry.rows import Row


def feature_vector(row: Row, features: FeaturePlan, scales: Scales) -> list[float]:
    """Return a row's features, in the order of `feature_schema.feature_names`.

    Raises
    ------
    InvalidInputError
        If the row is of a series that the scales do not cover; see `Scales.of`.
    """
    scale = scales.of(row.series)
    window = (row.value, *row.filled(features.shingle - 1))
    vector = [_clipped((value - scale.center) / scale.scale) for value in window]
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
