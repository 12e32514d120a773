"""The interface of all detectors that score rows: what they are asked, and on which scale they answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.protocol.adjustable import Adjustable
from watchkeeper.detectors.protocol.calibration import LARGEST_RARITY
from watchkeeper.detectors.protocol.scores import Scores

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self

FloatArray = npt.NDArray[np.float64]


@dataclass(kw_only=True, eq=False)
class Detector(Adjustable, ABC):
    """Learn from rows, then score rows.

    Every score is higher for what is more anomalous, also where the library that the method comes from has
    it the other way round. A row with NaN scores 0 and is no anomaly. Parameters are stored as they are
    given and checked by `fit`.

    Attributes
    ----------
    n_features_in_ : int
    threshold_ : float
        A raw score above it is an anomaly.
    """

    format: ClassVar[str]
    """Name of the format of the state; see `persistence`."""
    n_features_in_: int = field(init=False, repr=False)
    threshold_: float = field(init=False, repr=False)

    @abstractmethod
    def fit(self, X: npt.ArrayLike, y: object = None) -> Self:
        """Forget everything and learn rows, shape (n_rows,) or (n_rows, n_features).

        Raises
        ------
        InvalidInputError
            Too few rows, values that are not numbers, or a parameter that does not fit.
        """

    @abstractmethod
    def raw_scores(self, X: npt.ArrayLike) -> FloatArray:
        """Return the method's own score of each row, shape (n_rows,): higher is odder, NaN of NaN."""

    @abstractmethod
    def score_samples(self, X: npt.ArrayLike) -> FloatArray:
        """Return the anomaly score of each row, shape (n_rows,): 0 to 1, higher is more anomalous.

        It is a tenth of -log10 of how rarely ordinary rows score as much.
        """

    @abstractmethod
    def score_rows(self, X: npt.ArrayLike) -> Scores:
        """Return all that is said of each row: score, severity, whether it is an anomaly, raw score."""

    @property
    @abstractmethod
    def threshold_score(self) -> float:
        """The anomaly_score above which a row is an anomaly."""

    def severity(self, X: npt.ArrayLike) -> FloatArray:
        """Return the severity of each row, 0 to 100: at least the threshold's where it is an anomaly."""
        return self.score_rows(X).severity

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return -1 for an anomaly and 1 for the rest, shape (n_rows,)."""
        return np.where(self.raw_scores(X) > self.threshold_, -1, 1)

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Return parameters and state as an archive of arrays, without pickle; see `persistence`."""

    @classmethod
    @abstractmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the detector that `to_bytes` wrote; it scores bit for bit as the original.

        Raises
        ------
        InvalidInputError
            The bytes are of another detector, or of none.
        ContractViolationError
            Another version of this package wrote them.
        """


def require_rarity(rarity: float) -> None:
    """Refuse what no score reaches, or is no number."""
    if isinstance(rarity, (bool, str)) or not 0 <= rarity <= LARGEST_RARITY:
        raise InvalidInputError(
            f"alert_rarity is {rarity!r}: give a number from 0 to {LARGEST_RARITY}; 3 is one row in 1,000"
        )


def as_rows(X: npt.ArrayLike) -> FloatArray:
    """Return numbers as rows, shape (n_rows, n_features).

    Raises
    ------
    InvalidInputError
        They are not numbers, infinite, or of another shape.
    """
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"values are not all numbers: {error}") from error
    if rows.ndim == 1:
        rows = rows[:, np.newaxis]
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InvalidInputError(f"values have shape {rows.shape}: give (n_rows,) or (n_rows, n_columns)")
    if np.isinf(rows).any():
        row = int(np.isinf(rows).any(axis=1).argmax())
        raise InvalidInputError(f"row {row} is infinite: give a finite number, or NaN for a missing interval")
    return rows
