"""Kernel SHAP of many rows at a time, for any model.

shap's `KernelExplainer` asks the model about one row's coalitions at a time and solves each row's equations
anew. Here the coalitions of many rows go to the model together, equal rows among them once, and one
projection solves the equations of all rows with the same coalitions. The values are those of shap at the
same seed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.shap.attribution import Attribution, Predict, link_scores
from containers.explain.shap.coalitions import Coalitions, draw_coalitions

ROWS_AT_A_TIME = 200_000
"""Rows that are held at once; a row's coalitions are not divided."""


@dataclass(frozen=True)
class _Pool:
    """Rows and baseline together, as codes: equal cells of a column have the same code."""

    table: pd.DataFrame
    codes: NDArray[np.int64]
    n_rows: int

    @property
    def baseline(self) -> NDArray[np.int64]:
        return self.codes[self.n_rows :]


def kernel_shap(
    predict: Predict,
    rows: pd.DataFrame,
    baseline: pd.DataFrame,
    *,
    num_samples: int | None = None,
    seed: int | None = None,
    use_logit: bool = False,
    reason: str = "",
) -> Attribution:
    """Explain rows.

    Parameters
    ----------
    predict
        The model.
    rows, baseline
        Tables of the same columns, each with at least one row.
    num_samples
        Coalitions of a row; see `draw_coalitions`.
    seed
        In [0, 2**32); none: one is drawn, and told in the result.
    use_logit
        Explain log-odds instead of scores.
    reason
        Why this method was taken; kept in the result.

    Raises
    ------
    InvalidInputError
        See `link_scores`.
    """
    seed = secrets.randbelow(2**32) if seed is None else seed
    pool = _pool(rows, baseline)
    asked = predict(pool.table)
    scores = asked[: len(rows)]
    null = asked[len(rows) :].mean(axis=0)
    expected, linked = link_scores(null, use_logit), link_scores(scores, use_logit)
    values = np.zeros((len(rows), rows.shape[1], scores.shape[1]))
    evaluations, coalitions = len(pool.table), 0
    complete, undetermined = True, False
    varying = (pool.codes[: len(rows), None, :] != pool.baseline[None]).any(axis=1)
    counts = varying.sum(axis=1)
    for count in np.unique(counts):
        members = np.flatnonzero(counts == count)
        total = linked[members] - expected
        if count == 1:
            values[members, varying[members].argmax(axis=1)] = total
        if count < 2:
            continue
        drawn = draw_coalitions(int(count), num_samples, seed)
        coalitions = max(coalitions, len(drawn.members))
        complete &= drawn.complete
        undetermined |= drawn.undetermined
        step = max(1, ROWS_AT_A_TIME // (len(drawn.members) * len(baseline)))
        for start in range(0, len(members), step):
            block = members[start : start + step]
            columns = np.nonzero(varying[block])[1].reshape(len(block), count)
            means, n_asked = _coalition_means(predict, pool, block, columns, drawn)
            evaluations += n_asked
            worths = link_scores(means, use_logit) - expected
            found = _solve(drawn, worths, total[start : start + step])
            values[block[:, None], columns] = found
    return Attribution(
        values=values,
        expected=expected,
        scores=scores,
        linked=linked,
        method="exact" if complete else "kernel",
        evaluations=evaluations,
        coalitions=coalitions,
        seed=None if complete else seed,
        reason=reason,
        undetermined=undetermined,
    )


def _pool(rows: pd.DataFrame, baseline: pd.DataFrame) -> _Pool:
    table = pd.concat([rows, baseline], ignore_index=True)
    codes = [pd.factorize(table[name], use_na_sentinel=False)[0] for name in table.columns]
    return _Pool(table, np.stack(codes, axis=1).astype(np.int64), len(rows))


def _coalition_means(
    predict: Predict,
    pool: _Pool,
    block: NDArray[np.int64],
    columns: NDArray[np.int64],
    drawn: Coalitions,
) -> tuple[NDArray[np.float64], int]:
    """Return the mean score over the baseline of each row's coalitions, (n_rows, n_coalitions, n_outputs),
    and the number of different rows among them."""
    n_baseline, n_features = pool.baseline.shape
    from_row = np.zeros((len(block), len(drawn.members), n_features), dtype=bool)
    np.put_along_axis(
        from_row,
        np.broadcast_to(columns[:, None], (len(block), *drawn.members.shape)),
        drawn.members[None],
        2,
    )
    sources = np.where(
        from_row[:, :, None, :],
        block[:, None, None, None],
        (pool.n_rows + np.arange(n_baseline))[None, None, :, None],
    ).reshape(-1, n_features)
    features = np.arange(n_features)
    first, inverse = _distinct(pool.codes[sources, features])
    chosen = sources[first]
    asked = pd.DataFrame(
        {name: pool.table[name].to_numpy()[chosen[:, index]] for index, name in enumerate(pool.table.columns)}
    )
    scores = predict(asked)[inverse]
    shape = (len(block), len(drawn.members), n_baseline, scores.shape[1])
    return scores.reshape(shape).mean(axis=2), len(asked)


def _distinct(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the first of equal rows, and for each row which of them it equals."""
    key = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T:
        # Number the pairs of what is known so far and this column: never more numbers than rows.
        _, key = np.unique(key * (int(column.max()) + 1) + column, return_inverse=True)
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first, inverse


def _solve(drawn: Coalitions, worths: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    n_rows, n_coalitions, n_outputs = worths.shape
    games = worths.transpose(1, 0, 2).reshape(n_coalitions, -1)
    found = drawn.shapley_values(games, total.reshape(-1))
    return found.reshape(-1, n_rows, n_outputs).transpose(1, 0, 2)
