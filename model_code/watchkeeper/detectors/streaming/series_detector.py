"""The Watchkeeper detector behind the interface of all detectors: for files, batches and searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import score_below
from watchkeeper.detectors.protocol.detector import Detector, as_rows
from watchkeeper.detectors.protocol.scores import Scores
from watchkeeper.detectors.streaming.detector import DEFAULT_ALERT_RARITY, FORMAT, WatchkeeperDetector

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self

FloatArray = npt.NDArray[np.float64]


@dataclass(kw_only=True, eq=False)
class SeriesDetector(Detector):
    """Score rows in time order by `WatchkeeperDetector`.

    A row of a call is scored with the rows of the fit and those of the call before it; the next call starts
    from the fit again, so that a call leaves no trace. The raw score is the anomaly score, which is
    calibrated already.

    Parameters
    ----------
    alert_rarity, interval_seconds
        As of `WatchkeeperDetector`.
    """

    format: ClassVar[str] = FORMAT

    alert_rarity: float = DEFAULT_ALERT_RARITY
    interval_seconds: float | None = None

    def fit(self, X: npt.ArrayLike, y: object = None, *, times: FloatArray | None = None) -> Self:
        """Forget everything and learn rows in time order, shape (n_rows,) or (n_rows, n_features).

        NaN is a missing interval; `times` are in seconds since 1970.
        """
        return self._set(self.unfitted().fit(as_rows(X), timestamps=times))

    def unfitted(self) -> WatchkeeperDetector:
        """Return a streaming detector with these parameters that has learned nothing."""
        return WatchkeeperDetector(alert_rarity=self.alert_rarity, interval_seconds=self.interval_seconds)

    @property
    def threshold_score(self) -> float:
        """The anomaly_score above which a row is an anomaly: the raw score is one."""
        return self.threshold_

    def score_rows(self, X: npt.ArrayLike) -> Scores:
        """Return what is said of each row."""
        return self._fitted().score_rows(as_rows(X))

    def raw_scores(self, X: npt.ArrayLike) -> FloatArray:
        """Return the anomaly score of each row, shape (n_rows,); NaN where a value is missing."""
        rows = as_rows(X)
        return np.where(np.isnan(rows).any(axis=1), np.nan, self.score_samples(rows))

    def score_samples(self, X: npt.ArrayLike) -> FloatArray:
        """Return the anomaly score of each row, shape (n_rows,): 0 to 1, higher is more anomalous."""
        return self._fitted().score_samples(as_rows(X))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return -1 for an anomaly and 1 for the rest, shape (n_rows,)."""
        return self._fitted().predict(as_rows(X))

    def to_bytes(self) -> bytes:
        """Return the state; `WatchkeeperDetector.from_bytes` reads it too."""
        return self._fitted().to_bytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the detector that `to_bytes` of this class or of `WatchkeeperDetector` wrote."""
        read = WatchkeeperDetector.from_bytes(content)
        return cls(alert_rarity=read.alert_rarity, interval_seconds=read.interval_seconds)._set(read)

    def _set(self, detector: WatchkeeperDetector) -> Self:
        self.detector_ = detector
        self.n_features_in_ = detector.n_features_in_
        self.threshold_ = score_below(self.alert_rarity)
        return self

    def _fitted(self) -> WatchkeeperDetector:
        if not hasattr(self, "detector_"):
            raise InvalidInputError("this detector has learned nothing yet: call fit first")
        return self.detector_
