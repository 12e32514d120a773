"""The feature vector of a transaction as of its own time: what its row says, what is known of its entities.

The vector is raw: standardisation, vocabularies and trees belong to a model. It is computed once, when the
transaction comes, and kept with it; a neighbour's features are those of its own time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watchkeeper.fraud.history import EntityHistory, Neighbourhood, Vector
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import gap_positions
from watchkeeper.fraud.transaction import Transaction

Floats = NDArray[np.float64]

DAY_SECONDS = 86_400.0
AMOUNT = 0
PRIOR_SHARE, PRIOR_WEIGHT = 0.01, 5.0
"""A fraud share begins as if this many labelled transactions had this share of fraud."""

_HASH_BYTES = 3
"""24 bits: float32 holds them exactly."""


@dataclass(frozen=True, eq=False)
class AsOf:
    """Histories as arrays: of shape (n, n_relations), and with (n, n_relations, K) for the latest.

    NaN everywhere in a relation in which a transaction has no entity, and in `gaps` and `amounts` where an
    entity has fewer than K earlier transactions.
    """

    count: Floats
    labelled: Floats
    frauds: Floats
    since_fraud: Floats
    """Seconds since the latest known fraud; NaN without one."""
    gaps: Floats
    """Seconds since the K latest, the latest first."""
    amounts: Floats
    """Their `log_amount`, as float32 has it: neighbours tell it by their vectors."""


def category_hash(value: str | None) -> float:
    """Return the 24-bit hash of a category, NaN of none.

    Examples
    --------
    >>> category_hash("visa") == category_hash("visa"), 0 <= category_hash("") < 2**24
    (True, True)
    """
    if value is None:
        return float("nan")
    return float(int.from_bytes(hashlib.sha256(value.encode()).digest()[:_HASH_BYTES], "big"))


def log_amount(amounts: NDArray[np.floating]) -> Floats:
    """Return log1p of the magnitude with the sign of the amount."""
    return np.asarray(np.sign(amounts) * np.log1p(np.abs(amounts)))


def amount_of(logarithms: NDArray[np.floating]) -> Floats:
    """Return the amounts of which `log_amount` is given."""
    return np.asarray(np.sign(logarithms) * np.expm1(np.abs(logarithms.astype(np.float64))))


def row_features(times: Floats, amounts: Floats, numeric: Floats, categorical: Floats) -> Floats:
    """Return what rows alone say.

    Parameters
    ----------
    times
        Epoch seconds, of shape (n,); `amounts` likewise.
    numeric
        Of shape (n, n_numeric), NaN where a value is missing.
    categorical
        Hashes, of shape (n, n_categorical).

    Returns
    -------
    ndarray
        Of shape (n, n_row).
    """
    days = times / DAY_SECONDS
    day_angle, week_angle = 2 * np.pi * (days % 1.0), 2 * np.pi * (days % 7.0) / 7.0
    clock = [np.sin(day_angle), np.cos(day_angle), np.sin(week_angle), np.cos(week_angle)]
    return np.column_stack([log_amount(amounts), *clock, numeric, categorical])


def as_of_features(as_of: AsOf, amounts: NDArray[np.float32]) -> Floats:
    """Return the features of histories: the one definition, for a table and for one transaction.

    Parameters
    ----------
    amounts
        `log_amount` of the targets as their vectors have it, of shape (n,).

    Returns
    -------
    ndarray
        Of shape (n, n_relations * n_features_of_a_relation), relation by relation.
    """
    share = (as_of.frauds + PRIOR_SHARE * PRIOR_WEIGHT) / (as_of.labelled + PRIOR_WEIGHT)
    there = ~np.isnan(as_of.amounts)
    n_latest = there.sum(axis=2)
    total = np.where(there, as_of.amounts, 0.0).sum(axis=2)
    mean = np.divide(total, n_latest, out=np.full(total.shape, np.nan), where=n_latest > 0)
    gaps = as_of.gaps[:, :, list(gap_positions(as_of.gaps.shape[2]))]
    columns = [
        np.log1p(as_of.count),
        np.log1p(as_of.labelled),
        share,
        np.log1p(as_of.since_fraud),
        amounts[:, None] - mean,
        *np.moveaxis(np.log1p(gaps), 2, 0),
    ]
    n_relations = as_of.count.shape[1]
    return np.stack(columns, axis=2).reshape(len(amounts), n_relations * len(columns))


def vector_of(transaction: Transaction, neighbourhood: Neighbourhood, plan: FraudPlan) -> Vector:
    """Return the vector of one transaction: the online side.

    Parameters
    ----------
    neighbourhood
        As-of the transaction's time.

    Returns
    -------
    ndarray
        float32, of shape (n_features,).
    """
    numeric = [np.nan if value is None else value for value in transaction.numeric]
    row = row_features(
        np.array([transaction.time]),
        np.array([transaction.amount]),
        np.array([numeric]),
        np.array([[category_hash(value) for value in transaction.categorical]]),
    )
    as_of = _arrays([neighbourhood.get(relation.name) for relation in plan.relations], transaction, plan)
    return np.concatenate([row[0], as_of_features(as_of, row[:, AMOUNT].astype(np.float32))[0]]).astype(
        np.float32
    )


def _arrays(histories: Sequence[EntityHistory | None], target: Transaction, plan: FraudPlan) -> AsOf:
    """Return the histories of one transaction as arrays; None where it has no entity."""
    counters = np.full((4, len(histories)), np.nan)
    latest = np.full((2, len(histories), plan.neighbours), np.nan)
    for at, history in enumerate(histories):
        if history is None:
            continue
        since = np.nan if history.latest_fraud is None else target.time - history.latest_fraud
        counters[:, at] = history.count, history.labelled, history.frauds, since
        for place, neighbour in enumerate(history.latest[: plan.neighbours]):
            latest[:, at, place] = target.time - neighbour.time, neighbour.vector[AMOUNT]
    return AsOf(*counters[:, None], *latest[:, None])
