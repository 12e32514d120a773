"""Measures that move with or before others in the history: how long before, how strongly, on what evidence.

It is a correlation of what was new in each measure, and says nothing of causes. Values are first freed of the
hour of the day and of what followed from the interval before (prewhitening, Box and Jenkins, Time Series
Analysis, ch. 11): otherwise any two series with a rhythm or a trend would seem related.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from watchkeeper.features.relations import Relation
from watchkeeper.telemetry.expectation import MAD_TO_SIGMA
from watchkeeper.telemetry.series import parse_series_key

LONGEST_LAG = 12
"""Intervals that a measure may move before another."""
SMALLEST_STRENGTH = 0.2
SMALLEST_EVIDENCE = 5.0
"""Standard errors. With a thousand pairs and lags tried, chance reaches it in about one training of 70."""
MOST_RELATIONS = 50
_MOST_PLACES = 200
MOST_INTERVALS = 20_000
"""Of a place: older ones are not looked at."""
_LEAST_INTERVALS = 100
_LARGEST_STEP = 4.0
"""Robust standard deviations: a single record must not make a relation."""
_DAY_SECONDS = 86_400
_LEAST_DAYS = 5

Floats = npt.NDArray[np.float64]
Values = Sequence[tuple[int, float]]


def relations_of(values: Mapping[str, Values], interval_seconds: int) -> tuple[Relation, ...]:
    """Return how measures moved with one another, the strongest first; 50 at most.

    A pair is in it at the lag at which it is strongest, if that is beyond chance and at least 0.2. Beyond 200
    places, and 20,000 intervals of each, the history is sampled.

    Parameters
    ----------
    values
        Start (seconds since 1970) and value of each closed interval in the order of time, by series key.
    """
    places: dict[tuple[tuple[str, str], ...], dict[str, Values]] = defaultdict(dict)
    for series, known in values.items():
        key = parse_series_key(series)
        if len(known) >= _LEAST_INTERVALS:
            places[key.dimensions][key.measure] = known
    several = [place for place, measured in sorted(places.items()) if len(measured) > 1]
    sums: dict[tuple[str, str], Floats] = defaultdict(lambda: np.zeros((2 * LONGEST_LAG + 1, 2)))
    for place in several[:: max(1, math.ceil(len(several) / _MOST_PLACES))]:
        news = _news_by_measure(places[place], interval_seconds)
        for one, other in itertools.combinations(sorted(news), 2):
            sums[one, other] += _products(news[one], news[other])
    found = [
        relation
        for pair, products in sums.items()
        if (relation := _relation(*pair, products, interval_seconds))
    ]
    return tuple(
        sorted(found, key=lambda one: (-abs(one.strength), one.leader, one.follower))[:MOST_RELATIONS]
    )


def _relation(one: str, other: str, products: Floats, interval_seconds: int) -> Relation | None:
    """Return what the sums of products and their numbers say, by lag from -12 (the other leads) to 12."""
    counts = np.maximum(products[:, 1], 1.0)
    correlations = products[:, 0] / counts
    at = int(np.argmax(np.abs(correlations)))
    strength, count = float(correlations[at]), int(products[at, 1])
    if abs(strength) < SMALLEST_STRENGTH or abs(strength) * math.sqrt(count) < SMALLEST_EVIDENCE:
        return None
    lag = at - LONGEST_LAG
    leader, follower = (one, other) if lag >= 0 else (other, one)
    return Relation(
        leader, follower, abs(lag) * interval_seconds, round(min(1.0, max(-1.0, strength)), 3), count
    )


def _news_by_measure(measured: Mapping[str, Values], interval_seconds: int) -> dict[str, Floats]:
    """Return what was new in each interval, in standard deviations; NaN where nothing is known."""
    last = max(known[-1][0] for known in measured.values())
    first = max(
        min(known[0][0] for known in measured.values()), last - (MOST_INTERVALS - 1) * interval_seconds
    )
    count = (last - first) // interval_seconds + 1
    found = {}
    for measure, known in measured.items():
        table = np.array(known, dtype=np.float64)
        at = ((table[:, 0] - first) // interval_seconds).astype(np.int64)
        row = np.full(count, np.nan)
        row[at[at >= 0]] = table[at >= 0, 1]
        found[measure] = _news(_without_hours(row, first, interval_seconds))
    return found


def _without_hours(row: Floats, first: int, interval_seconds: int) -> Floats:
    """Return values less what is usual at that time of the day, where days enough are known."""
    if _DAY_SECONDS % interval_seconds or len(row) * interval_seconds < _LEAST_DAYS * _DAY_SECONDS:
        return row
    times = (first // interval_seconds + np.arange(len(row))) % (_DAY_SECONDS // interval_seconds)
    known = ~np.isnan(row)
    slots = _DAY_SECONDS // interval_seconds
    totals = np.bincount(times[known], row[known], slots)
    usual = totals / np.maximum(np.bincount(times[known], minlength=slots), 1)
    return row - usual[times]


def _news(row: Floats) -> Floats:
    """Return the residuals of an autoregression of order 1 in robust standard deviations, limited to 4."""
    before, now = row[:-1], row[1:]
    both = ~(np.isnan(before) | np.isnan(now))
    result = np.full(len(row), np.nan)
    if both.sum() < _LEAST_INTERVALS:
        return result
    x, y = before[both] - before[both].mean(), now[both] - now[both].mean()
    variance = float(x @ x)
    residuals = y - (float(x @ y) / variance if variance > 0 else 0.0) * x
    scale = MAD_TO_SIGMA * float(np.median(np.abs(residuals - np.median(residuals)))) or float(
        residuals.std()
    )
    if not scale > 0:
        return result
    limited = np.clip((residuals - np.median(residuals)) / scale, -_LARGEST_STEP, _LARGEST_STEP)
    limited -= limited.mean()
    result[1:][both] = limited / (float(limited.std()) or 1.0)
    return result


def _products(one: Floats, other: Floats) -> Floats:
    """Return, by lag, the sum of products and their number; at lag k > 0 `one` is k intervals earlier."""
    found = np.zeros((2 * LONGEST_LAG + 1, 2))
    for lag in range(-LONGEST_LAG, LONGEST_LAG + 1):
        early, late = (one, other) if lag >= 0 else (other, one)
        size = len(one) - abs(lag)
        if size > 0:
            product = early[:size] * late[len(late) - size :]
            known = ~np.isnan(product)
            found[lag + LONGEST_LAG] = product[known].sum(), known.sum()
    return found
