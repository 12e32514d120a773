"""Which transactions train, choose and test a model: parts in time, with labels as they were known then.

A model that is fitted at a boundary knows only the labels that are known by it. What happened before it and
was found out after it trains nothing; it is a neighbour without a label, as it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.features import Floats
from watchkeeper.fraud.plan import FraudSplitPlan
from watchkeeper.fraud.table import Labels

PARTS = ("none", "train", "validation", "test")
"""Names by code."""
NONE, TRAIN, VALIDATION, TEST = range(len(PARTS))


def boundaries_of(times: Floats, split: FraudSplitPlan) -> tuple[float, float]:
    """Return the times at which validation and test begin: quantiles of the transactions."""
    if not len(times):
        raise InvalidInputError("no transactions to split", reason="too_few_rows")
    ordered = np.sort(times)
    shares = (split.train, split.train + split.validation)
    first, second = (float(ordered[min(int(share * len(times)), len(times) - 1)]) for share in shares)
    return first, second


def parts_of(times: Floats, labels: Labels, boundaries: tuple[float, float]) -> NDArray[np.int8]:
    """Return the part of each transaction, as its code in `PARTS`.

    Parameters
    ----------
    boundaries
        Of `boundaries_of`.
    """
    first, second = boundaries
    known = labels.verdicts != 0
    parts = np.zeros(len(times), np.int8)
    parts[known & (times < first) & (labels.known_at <= first)] = TRAIN
    parts[known & (times >= first) & (times < second) & (labels.known_at <= second)] = VALIDATION
    parts[known & (times >= second)] = TEST
    return parts
