"""Which coalitions of features Kernel SHAP looks at, and what they weigh: drawn by the shap library.

shap chooses them for each row anew, though they depend on nothing but the number of features that differ from
the baseline and on the state of the generator. They are drawn once for each such number here, as shap draws
them for a row at this seed, so that the coalitions of all rows can be looked at together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Coalitions:
    """Coalitions of players, and the projection that makes Shapley values of their worths."""

    members: NDArray[np.bool_]
    """Shape (n_coalitions, n_players)."""
    projection: NDArray[np.float64]
    """Shape (n_players - 1, n_coalitions): weighted least squares, the last player being given by the sum."""
    complete: bool
    """Whether all coalitions are there; then the solution is exact."""
    undetermined: bool
    """Whether the equations have more than one solution; the one of least norm is taken."""

    def shapley_values(self, worths: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
        """Solve for the values of the players.

        Parameters
        ----------
        worths
            What each coalition is worth more than the empty one; shape (n_coalitions, n_games).
        total
            The same of all players together; shape (n_games,).

        Returns
        -------
        ndarray of shape (n_players, n_games)
            They add up to `total`.
        """
        last = self.members[:, -1:]
        first = self.projection @ (worths - last * total)
        return np.concatenate([first, (total - first.sum(axis=0))[None]])


def draw_coalitions(n_players: int, num_samples: int | None, seed: int) -> Coalitions:
    """Draw the coalitions of at least two players.

    Parameters
    ----------
    num_samples
        How many; none: shap's rule, `2 * n_players + 2048`. If there are no more, all are taken.
    seed
        Of the generator; the same seed gives the same coalitions.

    References
    ----------
    Lundberg and Lee, "A unified approach to interpreting model predictions", NIPS 2017 (weights and equations
    of Kernel SHAP).
    """
    import shap

    # With a baseline of zeros and a row of ones, the rows that the model is asked about are the coalitions.
    explainer = shap.KernelExplainer(lambda rows: rows.sum(axis=1), np.zeros((1, n_players)))
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        explainer.shap_values(np.ones((1, n_players)), nsamples=num_samples or "auto", l1_reg=0, silent=True)
    finally:
        np.random.set_state(state)
    members = explainer.maskMatrix[: explainer.nsamplesAdded] == 1.0
    weights = explainer.kernelWeights[: explainer.nsamplesAdded]
    design = (members[:, :-1].astype(float) - members[:, -1:]) * np.sqrt(weights)[:, None]
    rank = int(np.linalg.matrix_rank(design))
    projection = np.linalg.pinv(design) * np.sqrt(weights)
    return Coalitions(
        members,
        projection,
        complete=n_players <= 30 and len(members) == 2**n_players - 2,
        undetermined=rank < n_players - 1,
    )
