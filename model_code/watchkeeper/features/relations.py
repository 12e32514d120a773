"""How measures moved with one another in the history: a part of an evaluation and of a release.

`features.correlation` finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """One measure that moved at the same time as another at the same place, or before it."""

    leader: str
    follower: str
    """Of those that moved at once, the later one by name."""
    lag_seconds: int
    """How long before; 0: at once."""
    strength: float
    """Correlation, -1 to 1; below 0 they moved in opposite directions."""
    evidence: int
    """Intervals that it was measured on, over all places."""

    @property
    def at_once(self) -> bool:
        """Whether they moved at once."""
        return self.lag_seconds == 0


def pairs_of(relations: Sequence[Relation]) -> frozenset[tuple[str, str]]:
    """Return the pairs of measures that are related, at once or one before the other."""
    return frozenset((one.leader, one.follower) for one in relations)
