"""From any raw score to the one that all detectors share: -log10 of how rarely ordinary rows get as much."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.protocol.calibration import LARGEST_RARITY

FloatArray = npt.NDArray[np.float64]
TAIL_FRACTION = 0.05


class TailCalibration:
    """The distribution of a detector's raw scores on ordinary rows.

    Inside it, the probability of a score is its rank. In the highest twentieth, where ranks are coarse, the
    excess over the twentieth's edge is taken as exponential (the peaks-over-threshold method with shape 0:
    Pickands 1975), so that a score beyond all that was seen has a finite rarity.
    """

    def fit(self, raw: FloatArray) -> TailCalibration:
        """Learn from raw scores of ordinary rows, shape (n_rows,), higher is more anomalous."""
        finite = np.sort(raw[np.isfinite(raw)])
        if not len(finite):
            raise InvalidInputError(
                "no row with a finite score to calibrate on: give at least one complete row"
            )
        self.sorted_ = finite
        in_tail = max(int(TAIL_FRACTION * len(finite)), 1)
        self.edge_ = float(finite[-in_tail - 1]) if len(finite) > in_tail else float(finite[0])
        self.tail_probability_ = in_tail / len(finite)
        spread = float(finite[-1] - finite[0])
        excess = float((finite[-in_tail:] - self.edge_).mean())
        self.scale_ = max(excess, 1e-6 * spread, 1e-12 * abs(self.edge_), 1e-300)
        return self

    def rarity(self, raw: FloatArray) -> FloatArray:
        """Return -log10 of the probability of at least this raw score, 0 to 9.9; 0 where it is NaN."""
        at_least = len(self.sorted_) - np.searchsorted(self.sorted_, raw, side="left")
        by_rank = -np.log10((at_least + 1.0) / (len(self.sorted_) + 1.0))
        beyond = np.clip(raw - self.edge_, 0.0, 100.0 * self.scale_) / self.scale_
        by_tail = -np.log10(self.tail_probability_) + beyond / np.log(10.0)
        rarity = np.where(raw > self.edge_, by_tail, np.minimum(by_rank, -np.log10(self.tail_probability_)))
        return np.where(np.isnan(raw), 0.0, np.clip(rarity, 0.0, LARGEST_RARITY))

    def raw_at(self, rarity: float) -> float:
        """Return the raw score above which a row is at least this rare; the inverse of `rarity`."""
        beyond = rarity + float(np.log10(self.tail_probability_))
        if beyond > 0:
            return self.edge_ + self.scale_ * float(np.log(10.0)) * beyond
        rarer = int((len(self.sorted_) + 1) * 10.0**-rarity - 1.0)
        position = len(self.sorted_) - 1 - rarer
        return float(self.sorted_[position]) if position >= 0 else -float(np.finfo(np.float64).max)
