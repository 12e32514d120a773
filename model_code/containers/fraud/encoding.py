"""How vectors become numbers that a model can take: categories by their share of fraud, and a common scale.

Both are fitted on the transactions that train and travel with the model. A category becomes the logarithm
of the odds of fraud among those that trained with it, drawn to the mean where there are few: one number for
trees and network alike, and that of a category never seen is the mean.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.fraud.schema import FeatureSchema

Array = NDArray[np.float32]

SMOOTHING = 50.0
"""A category begins as if it had been seen so often with the mean share of fraud."""
RANGE = (0.1, 99.9)
"""Percentiles of the training beyond which a value says nothing more.

Counts grow with time, and a network would go on where trees stop.
"""
CLIP = 6.0
"""Standard deviations at most, for the same reason."""
_LEAST_SPREAD = 1e-6
_COUNT, _SINCE_FRAUD = 0, 3
"""Places among the as-of features of a relation; see `watchkeeper.fraud.schema`."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """The fitted encoding of a schema's vectors."""

    categories: NDArray[np.float64]
    """Hashes that were seen, column by column, each sorted."""
    odds: Array
    """What each becomes."""
    offsets: NDArray[np.int64]
    """Where a column's categories begin, and at last where they end."""
    unseen: Array
    """Of shape (1,): what any other becomes."""
    low: Array
    high: Array
    """Range of the training, number by number."""
    mean: Array
    spread: Array
    gaps: NDArray[np.int64]
    """Features that may be missing: whether one is, is a number of its own."""
    first_category: NDArray[np.int64]
    """Of shape (1,): where the categories are in a vector."""

    @classmethod
    def fitted(cls, vectors: Array, fraud: NDArray[np.bool_], schema: FeatureSchema) -> Encoding:
        """Return the encoding of the transactions that train."""
        prevalence = (fraud.sum() + 0.5) / (len(fraud) + 1.0)
        categories, odds, offsets = [], [], [0]
        for column in range(schema.categorical.start, schema.categorical.stop):
            seen = ~np.isnan(vectors[:, column])
            values, code, count = np.unique(vectors[seen, column], return_inverse=True, return_counts=True)
            share = (np.bincount(code, fraud[seen], len(values)) + SMOOTHING * prevalence) / (
                count + SMOOTHING
            )
            categories.append(values.astype(np.float64))
            odds.append(np.log(share / (1.0 - share)))
            offsets.append(offsets[-1] + len(values))
        empty = np.empty(0)
        first = cls(
            categories=np.concatenate([*categories, empty]),
            odds=np.concatenate([*odds, empty]).astype(np.float32),
            offsets=np.array(offsets),
            unseen=np.array([np.log(prevalence / (1.0 - prevalence))], np.float32),
            low=np.zeros(0, np.float32),
            high=np.zeros(0, np.float32),
            mean=np.zeros(0, np.float32),
            spread=np.ones(0, np.float32),
            gaps=np.zeros(0, np.int64),
            first_category=np.array([schema.categorical.start]),
        )
        numbers = first.numbers(vectors).astype(np.float64)
        present = ~np.isnan(numbers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of a column without any value
            low, high = np.nan_to_num(np.nanpercentile(numbers, RANGE, axis=0))
        counted = np.maximum(present.sum(axis=0), 1)
        mean = np.where(present, numbers, 0.0).sum(axis=0) / counted
        spread = np.sqrt((np.where(present, numbers - mean, 0.0) ** 2).sum(axis=0) / counted)
        # what is missing of a history says the same twice, but for whether there is any, and any fraud
        histories = [features.start + at for features in schema.as_of for at in (_COUNT, _SINCE_FRAUD)]
        telling = np.array([*range(schema.n_row), *histories])
        return cls(
            **{
                **vars(first),
                "low": low.astype(np.float32),
                "high": high.astype(np.float32),
                "mean": mean.astype(np.float32),
                "spread": np.maximum(spread, _LEAST_SPREAD).astype(np.float32),
                "gaps": telling[np.isnan(numbers[:, telling]).any(axis=0)],
            }
        )

    def numbers(self, vectors: Array) -> Array:
        """Return vectors of shape (…, n_features) with numbers for categories; what is missing stays NaN."""
        numbers = np.array(vectors, np.float32)
        for at, (start, end) in enumerate(zip(self.offsets[:-1], self.offsets[1:], strict=True)):
            column = int(self.first_category[0]) + at
            values = numbers[..., column].astype(np.float64)
            if start == end:
                numbers[..., column] = self.unseen[0]
                continue
            known = self.categories[start:end]
            place = np.minimum(np.searchsorted(known, values), end - start - 1)
            found = np.where(known[place] == values, self.odds[start:end][place], self.unseen[0])
            numbers[..., column] = found
        return numbers

    def scaled(self, numbers: Array) -> Array:
        """Return `numbers` on a common scale, of shape (…, n_inputs).

        A missing one is 0, and whether it is missing is a number of its own.
        """
        within = np.clip(numbers, self.low, self.high)
        scaled = np.clip((within - self.mean) / self.spread, -CLIP, CLIP)
        missing = np.isnan(numbers[..., self.gaps]).astype(np.float32)
        return np.concatenate([np.nan_to_num(scaled, nan=0.0), missing], axis=-1)
