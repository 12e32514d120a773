"""Several columns together: correlations that break, and small deviations of many columns at once.

A column's innovation is its deviation from its mean by hour of the day, over its usual size. Innovations are
made uncorrelated by the inverse root of their covariance (ZCA), which keeps each one with its column. How
unusual a row is, is the sum of log(1 + y²) over them: the negative log-likelihood of heavy tails (Cauchy's),
so that many small deviations count as much as a large one. It is compared with its own mean and spread.

Source: Kessy, Lewin & Strimmer, "Optimal whitening and decorrelation", The American Statistician 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.streaming.state import DAY_HOURS

FloatArray = npt.NDArray[np.float64]
Record = npt.NDArray[np.void]

FIRST_ROWS = 300  # until then a row is not judged
KNOWN_ROWS = 12  # rows of an hour from which its mean is expected
MEMORY_ROWS = 5000.0
PROFILE_RATE = 0.005
CLIP = 20.0  # most usual sizes that an innovation counts
LEARNED_CLIP = 5.0  # and that is learned of it
SHRINKAGE = 0.1  # of the correlations towards none
WHITENED_ROWS = 20  # rows after which the whitening is made anew
LEARNED_EXCESS = 3.0  # a row farther out than this many times its expected length is learned in part
SURPRISE_CLIP = 4.0
FIRST_SPREAD = 0.3
MEAN_TO_SIGMA = 1.2533
ONSET = 2.5  # spreads from which a row can be news
ONGOING = 2.0  # and from which something goes on
ESCALATION = 0.25
QUIET_ROWS = 12
HABIT = 0.5  # spreads by which a doubled number of onsets of late lowers the next
HABIT_ROWS = 2000.0
FREE_ONSETS = 3.0


@dataclass(frozen=True)
class Together:
    """What is said of rows by all columns together.

    Attributes
    ----------
    surprise : ndarray, shape (n_rows,)
        How unusual the row is, in spreads above its usual; at least 0.
    onset : ndarray, shape (n_rows,)
        The surprise where it is news, less what is habit; 0 on most rows.
    parts : ndarray, shape (n_rows, n_columns)
        The share of each column; they add up to 1, or are all 0.
    """

    surprise: FloatArray
    onset: FloatArray
    parts: FloatArray


def new_together(columns: int) -> Record:
    """Return what is remembered of so many columns that have been seen nowhere, shape (1,)."""
    record = np.zeros(1, dtype=together_dtype(columns))
    record["covariance"] = record["whitening"] = np.eye(columns)
    record["spread"] = FIRST_SPREAD
    record["quiet"] = QUIET_ROWS
    return record


def together_dtype(columns: int) -> np.dtype[np.void]:
    """Return the record of so many columns."""
    return np.dtype(
        [
            ("rows", "<i8"),
            ("mean", "<f8", (columns,)),
            ("size", "<f8", (columns,)),  # of the deviations
            ("seen", "<i8", (columns,)),
            ("profile", "<f8", (DAY_HOURS, columns)),
            ("profile_rows", "<i8", (DAY_HOURS, columns)),
            ("covariance", "<f8", (columns, columns)),
            ("whitening", "<f8", (columns, columns)),
            ("usual", "<f8"),  # of the logarithm of the sum
            ("spread", "<f8"),
            ("onsets", "<f8"),  # decayed count of them
            ("held", "<f8"),  # the strongest surprise of what goes on
            ("quiet", "<i8"),  # rows since it went on
        ]
    )


def advance_together(record: Record, hours: npt.NDArray[np.int64], values: FloatArray) -> Together:
    """Score and learn rows, shape (n_rows, n_columns), in order; `hours` of the week.

    A column that is missing is as expected.
    """
    s: Any = record[0]
    surprise, onset = np.zeros(len(values)), np.zeros(len(values))
    parts = np.zeros(values.shape)
    for row, hour in enumerate(hours % DAY_HOURS):
        present = np.isfinite(values[row])
        if not present.any():
            continue
        whitened = s["whitening"] @ _innovations(s, hour, values[row], present)
        terms = np.log1p(whitened * whitened)
        total = float(terms.sum())
        surprise[row] = _surprise(s, total)
        onset[row] = _news(s, surprise[row])
        if total > 0:
            parts[row] = terms / total
        s["rows"] += 1
    return Together(surprise, onset, parts)


def _innovations(s: Any, hour: int, values: FloatArray, present: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the innovations of a row, and learn means, sizes, covariance and whitening."""
    first = present & (s["seen"] == 0)
    s["mean"][first] = values[first]
    known = s["profile_rows"][hour] >= KNOWN_ROWS
    deviation = np.where(present, values - np.where(known, s["profile"][hour], s["mean"]), 0.0)
    size = np.maximum(s["size"], 1e-12 * np.abs(s["mean"]))
    innovations: FloatArray = np.clip(
        np.divide(deviation, size, out=np.zeros_like(size), where=size > 0), -CLIP, CLIP
    )

    weight = np.where(present, np.maximum(1.0 / MEMORY_ROWS, 1.0 / (s["seen"] + 1)), 0.0)
    limit = np.where(s["seen"] > 50, LEARNED_CLIP * size, np.inf)
    limit[size == 0] = np.inf
    from_mean = np.where(present, values - s["mean"], 0.0)
    s["mean"] += weight * np.clip(from_mean, -limit, limit)
    s["size"] += weight * (MEAN_TO_SIGMA * np.minimum(np.abs(deviation), limit) - s["size"])
    s["seen"] += present
    s["profile_rows"][hour] += present
    rate = np.maximum(PROFILE_RATE, 1.0 / np.maximum(s["profile_rows"][hour], 1))
    s["profile"][hour] += np.where(present, rate * (values - s["profile"][hour]), 0.0)

    if s["rows"] % WHITENED_ROWS == 0:
        s["whitening"] = _whitening(s["covariance"])
    whitened = s["whitening"] @ innovations
    length = float(whitened @ whitened)
    expected = LEARNED_EXCESS * max(int((s["size"] > 0).sum()), 1)
    share = min(1.0, expected / length) if length > 0 else 1.0
    forgotten = max(1.0 / MEMORY_ROWS, 1.0 / (s["rows"] + WHITENED_ROWS))
    learned = forgotten * share * np.outer(innovations, innovations)
    s["covariance"] = (1.0 - forgotten) * s["covariance"] + learned
    return innovations


def _whitening(covariance: FloatArray) -> FloatArray:
    """Return the inverse root of a covariance whose correlations are shrunk."""
    shrunk = (1.0 - SHRINKAGE) * covariance
    np.fill_diagonal(shrunk, np.diag(covariance) + 1e-9)
    sizes, directions = np.linalg.eigh(shrunk)
    root: FloatArray = (directions / np.sqrt(np.maximum(sizes, 1e-9))) @ directions.T
    return root


def _surprise(s: Any, total: float) -> float:
    """Return by how many spreads the sum is above its usual, and learn it."""
    level = float(np.log(max(total, 1e-6)))
    rows = int(s["rows"])
    if rows == 0:
        s["usual"] = level
    above = (level - s["usual"]) / s["spread"]
    weight = max(1.0 / MEMORY_ROWS, 1.0 / (rows + 1))
    move = level - s["usual"]
    if rows > 50:
        move = float(np.clip(move, -SURPRISE_CLIP * s["spread"], SURPRISE_CLIP * s["spread"]))
    s["usual"] += weight * move
    if rows > 10:
        s["spread"] = max(s["spread"] + weight * (MEAN_TO_SIGMA * abs(move) - s["spread"]), 1e-3)
    return max(float(above), 0.0) if rows >= FIRST_ROWS else 0.0


def _news(s: Any, surprise: float) -> float:
    """Return the surprise where something begins or gets stronger, else 0."""
    s["quiet"] = 0 if surprise >= ONGOING else s["quiet"] + 1
    if s["quiet"] >= QUIET_ROWS:
        s["held"] = 0.0
    s["onsets"] *= 0.5 ** (1.0 / HABIT_ROWS)
    news = surprise - HABIT * float(np.log2(1.0 + max(s["onsets"] - FREE_ONSETS, 0.0)))
    if news < ONSET or (s["held"] > 0 and surprise <= s["held"] + ESCALATION):
        return 0.0
    if s["held"] == 0:
        s["onsets"] += 1.0
    s["held"] = surprise
    return news
