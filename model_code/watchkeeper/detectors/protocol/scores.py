"""What a detector says of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """What a detector says of each row; arrays have a row's answer as their element, shape (n_rows,).

    Attributes
    ----------
    anomaly_score : ndarray
        0 to 1, higher is more anomalous: a tenth of the row's rarity.
    severity : ndarray
        0 to 100, at least the threshold's exactly where a row is an anomaly; see `calibration.severity_of`.
    is_anomaly : ndarray of bool
    raw : ndarray
        The method's own score, which ranks rows more finely; -inf where a value is missing.
    """

    anomaly_score: FloatArray
    severity: FloatArray
    is_anomaly: npt.NDArray[np.bool_]
    raw: FloatArray

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.is_anomaly)

    @property
    def still_unusual(self) -> npt.NDArray[np.bool_]:
        """Whether what an earlier anomaly told goes on; by the rows' own decisions where a method says no
        more."""
        return self.is_anomaly

    def rows(self, chosen: slice | npt.NDArray[np.int64]) -> Self:
        """Return some of the rows."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


AnyScores = TypeVar("AnyScores", bound=Scores)


def joined(pieces: Sequence[AnyScores]) -> AnyScores:
    """Return the scores of consecutive pieces as one."""
    names = [field.name for field in fields(pieces[0])]
    return type(pieces[0])(
        **{name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in names}
    )
