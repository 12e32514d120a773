"""Which coalitions of features Kernel SHAP looks at, and what they weigh.

The smallest coalitions and their complements weigh most: as many sizes as the samples pay for are taken
whole, and the rest is drawn, in pairs of a coalition and its complement. They depend on nothing but the
number of features that differ from the baseline and on the seed, so that those of all rows can be looked at
together. They are the coalitions and weights that the library shap has for a row at this seed, which a test
holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-8
"""By which a share of the samples may miss a whole size."""


@dataclass(frozen=True)
class Coalitions:
    """Coalitions of players, and the projection that makes Shapley values of their worths."""

    members: NDArray[np.bool_]
    """Shape (n_coalitions, n_players)."""
    weights: NDArray[np.float64]
    """Of the coalitions; their sum is 1."""
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
    count = min(num_samples or 2 * n_players + 2048, 2**n_players - 2)
    sizes = range(1, n_players // 2 + 1)
    # A size stands for its complements' size, too; the half of an even number is its own.
    sides = np.array([1 if 2 * size == n_players else 2 for size in sizes])
    mass = np.array([(n_players - 1) / (size * (n_players - size)) for size in sizes]) * sides
    mass /= mass.sum()
    members: list[NDArray[np.bool_]] = []
    weights: list[float] = []
    whole = _affordable_sizes(n_players, count, mass, sides)
    for size in range(1, whole + 1):
        weight = mass[size - 1] / (sides[size - 1] * comb(n_players, size))
        for chosen in combinations(range(n_players), size):
            member = np.zeros(n_players, dtype=bool)
            member[list(chosen)] = True
            both = (member, ~member)[: sides[size - 1]]
            members += both
            weights += [weight] * len(both)
    if whole < len(sizes):
        drawn, times = _drawn(n_players, count - len(members), mass[whole:] / sides[whole:], whole, seed)
        members += drawn
        weights += (times * (mass[whole:].sum() / times.sum())).tolist()
    return _solved(np.array(members), np.array(weights), n_players)


def _affordable_sizes(n_players: int, count: int, mass: NDArray[np.float64], sides: NDArray[np.int64]) -> int:
    """Return of how many sizes, beginning with the smallest, all coalitions are taken: those of which as many
    would be drawn as there are."""
    left = mass.copy()
    for index, both in enumerate(sides):
        existing = both * comb(n_players, index + 1)
        if count * left[index] / existing < 1.0 - _ROUNDING:
            return index
        count -= existing
        if left[index] < 1.0:
            left /= 1.0 - left[index]
    return len(mass)


def _drawn(
    n_players: int, count: int, share: NDArray[np.float64], whole: int, seed: int
) -> tuple[list[NDArray[np.bool_]], NDArray[np.float64]]:
    """Draw different coalitions, each with its complement, and how often each came."""
    generator = np.random.RandomState(seed)
    sizes = whole + 1 + generator.choice(len(share), 4 * count, p=share / share.sum())
    members: list[NDArray[np.bool_]] = []
    times: list[int] = []
    place: dict[bytes, int] = {}
    for size in sizes:
        if len(members) >= count:
            break
        member = np.zeros(n_players, dtype=bool)
        member[generator.permutation(n_players)[:size]] = True
        both = (member,) if 2 * size == n_players else (member, ~member)
        at = place.setdefault(member.tobytes(), len(members))
        if at == len(members):
            members += both
            times += [0] * len(both)
        for position in range(at, min(at + len(both), count)):
            times[position] += 1
    return members[:count], np.array(times[:count], dtype=float)


def _solved(members: NDArray[np.bool_], weights: NDArray[np.float64], n_players: int) -> Coalitions:
    design = (members[:, :-1].astype(float) - members[:, -1:]) * np.sqrt(weights)[:, None]
    rank = int(np.linalg.matrix_rank(design))
    projection = np.linalg.pinv(design) * np.sqrt(weights)
    return Coalitions(
        members,
        weights,
        projection,
        complete=n_players <= 30 and len(members) == 2**n_players - 2,
        undetermined=rank < n_players - 1,
    )
