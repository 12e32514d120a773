"""Detectors that are fitted once and then score any rows: what rules and known methods have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.severity import SCORE_RARITY
from watchkeeper.detectors.protocol import persistence
from watchkeeper.detectors.protocol.calibration import LARGEST_RARITY, severity_of
from watchkeeper.detectors.protocol.detector import Detector, as_rows
from watchkeeper.detectors.protocol.scores import Scores

if TYPE_CHECKING:
    from typing import Self


FloatArray = npt.NDArray[np.float64]
_LARGEST_RAW = 1e300
_TAIL = "calibration_scores"


@dataclass(kw_only=True, eq=False)
class BatchDetector(Detector):
    """Fit on ordinary rows, then score rows by how rarely those of the fit score as much.

    Rows with NaN are left out of the fit.

    Attributes
    ----------
    tail_ : TailCalibration
        The distribution of the raw scores of the fit's rows.
    """

    state_names: ClassVar[tuple[str, ...]]
    """Attributes that hold what was learned: numbers or arrays."""

    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Learn from rows, shape (n_rows,) or (n_rows, n_features)."""
        self.fit_scores(X)
        return self

    def fit_scores(self, X: npt.ArrayLike, times: FloatArray | None = None) -> FloatArray:
        """Learn from rows; return their own raw scores as of rows not seen, shape (n_rows,); NaN of NaN.

        `times`, in seconds, count only for a method that asks how far rows are apart.
        """
        self._check_parameters()
        rows = as_rows(X)
        return self._fit_complete(rows, complete_rows(rows), self._learn)

    def score_samples(self, X: npt.ArrayLike) -> FloatArray:
        """Return the anomaly score of each row, shape (n_rows,): 0 to 1, higher is more anomalous."""
        raw = self.raw_scores(X)
        return self.tail_.rarity(raw) / SCORE_RARITY

    def score_rows(self, X: npt.ArrayLike) -> Scores:
        """Return all that is said of each row."""
        raw = self.raw_scores(X)
        rarity, is_anomaly = self.tail_.rarity(raw), raw > self.threshold_
        severity = severity_of(rarity, SCORE_RARITY * self.threshold_score, is_anomaly)
        return Scores(rarity / SCORE_RARITY, severity, is_anomaly, np.where(np.isnan(raw), -np.inf, raw))

    @property
    def threshold_score(self) -> float:
        """The anomaly_score above which a row is an anomaly."""
        return float(self.tail_.rarity(np.array([self.threshold_]))[0]) / SCORE_RARITY

    def raw_scores(self, X: npt.ArrayLike) -> FloatArray:
        """Return the method's own score of each row, shape (n_rows,): higher is odder, NaN of NaN."""
        self._check_fitted()
        rows = as_rows(X)
        if rows.shape[1] != self.n_features_in_:
            raise InvalidInputError(
                f"{rows.shape[1]} columns: the detector was fitted on {self.n_features_in_}"
            )
        complete = complete_rows(rows)
        raw = np.full(len(rows), np.nan)
        if complete.any():
            raw[complete] = _limited(self._raw(rows[complete]))
        return raw

    def to_bytes(self) -> bytes:
        """Return parameters and state as an archive of arrays, without pickle; see `persistence`."""
        self._check_fitted()
        arrays = {name: np.asarray(getattr(self, name)) for name in self.state_names}
        return persistence.dump(self.format, self.get_params(), {**arrays, _TAIL: self.tail_.sorted_})

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the detector that `to_bytes` wrote; it scores bit for bit as the original."""
        settings, arrays = persistence.load(cls.format, content)
        try:
            detector = cls(**settings)
            detector.tail_ = TailCalibration().fit(arrays.pop(_TAIL))
        except (TypeError, KeyError) as error:
            raise ContractViolationError(
                f"{cls.format}: unexpected content ({error}); train again"
            ) from error
        if set(arrays) != set(cls.state_names):
            raise ContractViolationError(
                f"{cls.format}: it has {', '.join(sorted(arrays))}, this package reads "
                f"{', '.join(sorted(cls.state_names))}; train again"
            )
        for name, array in arrays.items():
            setattr(detector, name, array if array.ndim else array.item())
        detector._restore()
        detector.threshold_ = detector._threshold()
        return detector

    def _fit_complete(
        self, rows: FloatArray, complete: npt.NDArray[np.bool_], learn: Callable[[FloatArray], FloatArray]
    ) -> FloatArray:
        if complete.sum() < 2:
            raise InvalidInputError(f"{complete.sum()} complete rows: give at least 2")
        self.n_features_in_ = rows.shape[1]
        raw = np.full(len(rows), np.nan)
        raw[complete] = _limited(learn(rows[complete]))
        self.tail_ = TailCalibration().fit(raw)
        self.threshold_ = self._threshold()
        return raw

    def _check_fitted(self) -> None:
        if not hasattr(self, "threshold_"):
            raise InvalidInputError("this detector has learned nothing yet: call fit first")

    @abstractmethod
    def _check_parameters(self) -> None:
        """Raise InvalidInputError if a parameter is not as described."""

    @abstractmethod
    def _threshold(self) -> float:
        """Return the raw score above which a row is an anomaly, from parameters and state."""

    @abstractmethod
    def _learn(self, rows: FloatArray) -> FloatArray:
        """Fit on complete rows, and return their raw scores as rows that the detector has not seen."""

    @abstractmethod
    def _raw(self, rows: FloatArray) -> FloatArray:
        """Return the method's own score of complete rows, higher is more anomalous."""

    @abstractmethod
    def _restore(self) -> None:
        """Build what is made from the state, and set `n_features_in_`."""


def complete_rows(rows: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which rows have no NaN, shape (n_rows,)."""
    return np.asarray(~np.isnan(rows).any(axis=1))


def _limited(raw: FloatArray) -> FloatArray:
    limited: FloatArray = np.clip(raw, -_LARGEST_RAW, _LARGEST_RAW)
    return limited


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
