"""The Watchkeeper detector: streaming, causal, one set of parameters, no labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.protocol import persistence
from watchkeeper.detectors.protocol.adjustable import Adjustable
from watchkeeper.detectors.protocol.detector import as_rows, require_rarity
from watchkeeper.detectors.streaming.kernel import OUTPUT, advance_all
from watchkeeper.detectors.streaming.score_parts import ScorePart, score_parts
from watchkeeper.detectors.streaming.scores import Score, SeriesScores, interpret
from watchkeeper.detectors.streaming.state import BLOCK_ROWS, BLOCKS, STATE, Parameters, new_states
from watchkeeper.detectors.streaming.times import hours_of_week, missing_before, to_seconds
from watchkeeper.detectors.streaming.together import (
    Record,
    advance_together,
    new_together,
    together_dtype,
)

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self

FloatArray = npt.NDArray[np.float64]
FORMAT = "watchkeeper-detector"
DEFAULT_ALERT_RARITY = 3.75


Timestamps = npt.NDArray[Any] | Sequence[datetime] | Sequence[float] | None


class WatchkeeperDetector(Adjustable):
    """Find what is new in a series, as it arrives.

    Every row is scored before it is learned. Batch and streaming give the same result: `update` row by row
    equals `score_series` on the same rows, and a row's score never depends on later rows. Several columns
    are scored each on its own and all together (`together`); a row's score is that of its most anomalous
    column, corrected for the number of columns that ever changed, or that of all together where it is higher.

    NaN is a missing interval: it scores 0, and no pattern is compared across it. Values are clipped to
    ±1e30. Multiplying a series by a positive number or adding a constant changes no score beyond rounding.

    Parameters
    ----------
    alert_rarity : float, default 3.75
        Rarity from which a row is an anomaly. 3.75 stands for one false alarm in 5,600 rows: 19 days of
        5-minute intervals.
    interval_seconds : float, optional
        Length of an interval. Where timestamps skip intervals, they count as missing. Without it rows are
        consecutive.
    parameters : Parameters, optional

    Examples
    --------
    >>> import numpy as np
    >>> values = np.sin(np.arange(2000) / 20)
    >>> values[1500] = 4.0
    >>> scores = score_series(None, values)
    >>> int(scores.severity[300:].argmax()) + 300
    1500
    """

    def __init__(
        self,
        *,
        alert_rarity: float = DEFAULT_ALERT_RARITY,
        interval_seconds: float | None = None,
        parameters: Parameters | None = None,
    ) -> None:
        self.alert_rarity = alert_rarity
        self.interval_seconds = interval_seconds
        self.parameters = parameters

    def fit(self, X: npt.ArrayLike, y: object = None, *, timestamps: Timestamps = None) -> Self:
        """Forget everything and learn these rows.

        Parameters
        ----------
        X : array of shape (n_rows,) or (n_rows, n_columns)
            In time order.
        y : ignored
        timestamps : array of datetime64, aware datetimes or seconds since 1970, shape (n_rows,), optional
            Without them there is no profile by hour of the day or the week.

        Raises
        ------
        InvalidInputError
            A shape, value or parameter is not as described.
        """
        self._check_parameters()
        values = as_rows(X)
        self._forget(values.shape[1])
        self._advance(values, timestamps, self.states_, self.together_)
        return self

    def partial_fit(self, X: npt.ArrayLike, y: object = None, *, timestamps: Timestamps = None) -> Self:
        """Learn the rows that follow those learned so far."""
        self.update_all(X, timestamps=timestamps)
        return self

    def update_all(self, X: npt.ArrayLike, *, timestamps: Timestamps = None) -> SeriesScores:
        """Score each row, then learn it."""
        values = self._checked(X)
        return self._advance(values, timestamps, self.states_, self.together_)

    def score_rows(self, X: npt.ArrayLike, *, timestamps: Timestamps = None) -> SeriesScores:
        """Score rows as if they followed what was learned; the detector itself stays as it is."""
        values = self._checked(X)
        return self._advance(values, timestamps, self.states_.copy(), self.together_.copy())

    def score_samples(self, X: npt.ArrayLike, *, timestamps: Timestamps = None) -> FloatArray:
        """Return the anomaly score of each row, shape (n_rows,): 0 to 1, higher is more anomalous."""
        return self.score_rows(X, timestamps=timestamps).anomaly_score

    def predict(self, X: npt.ArrayLike, *, timestamps: Timestamps = None) -> npt.NDArray[np.int64]:
        """Return -1 for an anomaly and 1 for the rest, as scikit-learn's outlier detectors do, shape
        (n_rows,)."""
        return np.where(self.score_rows(X, timestamps=timestamps).is_anomaly, -1, 1)

    def update(self, value: float | Sequence[float], timestamp: datetime | float | None = None) -> Score:
        """Score one row, then learn it."""
        return self.update_all(np.atleast_2d(value), timestamps=_one(timestamp)).row(0)

    def score_one(self, value: float | Sequence[float], timestamp: datetime | float | None = None) -> Score:
        """Score one row without learning it."""
        return self.score_rows(np.atleast_2d(value), timestamps=_one(timestamp)).row(0)

    def explain_one(
        self, value: float, timestamp: datetime | float | None = None
    ) -> tuple[Score, list[ScorePart]]:
        """Score one row of one column without learning it, and say what its score is made of."""
        values = self._checked(np.atleast_2d(value))
        if values.shape[1] != 1:
            raise InvalidInputError(f"{values.shape[1]} columns: one is explained at a time")
        after = self.states_.copy()
        outputs = self._outputs(values, _one(timestamp), after)
        score = interpret(outputs, self.alert_rarity, np.asarray(np.isnan(values).any(axis=1))).row(0)
        record = (self.parameters or Parameters()).record()
        return score, score_parts(outputs[0, 0], record, self.states_, after, score.anomaly_score)

    def learn_one(self, value: float | Sequence[float], timestamp: datetime | float | None = None) -> Self:
        """Learn one row."""
        self.update(value, timestamp)
        return self

    def to_bytes(self) -> bytes:
        """Return the parameters and the whole state; see `persistence` for the format."""
        self._check_fitted()
        return persistence.dump(
            FORMAT,
            {
                "alert_rarity": self.alert_rarity,
                "interval_seconds": self.interval_seconds,
                "parameters": None if self.parameters is None else asdict(self.parameters),
            },
            {"states": self.states_, "together": self.together_},
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return the detector that `to_bytes` wrote; it goes on bit for bit as the original would."""
        settings, arrays = persistence.load(FORMAT, content)
        states, together = arrays.get("states"), arrays.get("together")
        if (
            states is None
            or together is None
            or states.dtype != STATE
            or states.ndim != 1
            or together.dtype != together_dtype(len(states))
        ):
            raise ContractViolationError(
                f"{FORMAT}: its states do not have this package's fields; train again"
            )
        chosen = settings.pop("parameters", None)
        try:
            detector = cls(**settings, parameters=None if chosen is None else Parameters(**chosen))
        except TypeError as error:
            raise ContractViolationError(f"{FORMAT}: unexpected settings ({error}); train again") from error
        detector._check_parameters()
        detector.states_ = states
        detector.together_ = together
        detector.n_features_in_ = len(states)
        return detector

    @classmethod
    def of_states(cls, states: npt.NDArray[np.void], *, interval_seconds: float | None = None) -> Self:
        """Return a detector whose columns go on from these states, shape (n_columns,); of how they go
        together nothing is known."""
        detector = cls(interval_seconds=interval_seconds)
        detector._forget(len(states))
        detector.states_ = states.copy()
        return detector

    def _advance(
        self, values: FloatArray, timestamps: Timestamps, states: npt.NDArray[np.void], together: Record
    ) -> SeriesScores:
        outputs = self._outputs(values, timestamps, states)
        of_all = None
        if values.shape[1] > 1:
            hours = hours_of_week(to_seconds(timestamps, len(values)))
            of_all = advance_together(together, hours, values)
        return interpret(outputs, self.alert_rarity, np.asarray(np.isnan(values).any(axis=1)), of_all)

    def _forget(self, columns: int) -> None:
        self.n_features_in_ = columns
        self.states_ = new_states(columns)
        self.together_ = new_together(columns)

    def _outputs(
        self, values: FloatArray, timestamps: Timestamps, states: npt.NDArray[np.void]
    ) -> npt.NDArray[np.void]:
        """Return what the kernel says, shape (n_columns, n_rows)."""
        seconds = to_seconds(timestamps, len(values))
        hours = hours_of_week(seconds)
        last = float(states["last_time"][0])
        missing = missing_before(seconds, last, self.interval_seconds, limit=BLOCK_ROWS * BLOCKS)
        parameters = (self.parameters or Parameters()).record()
        outputs = np.empty((values.shape[1], len(values)), dtype=OUTPUT)
        for column in range(values.shape[1]):
            state, readings = states[column : column + 1], values[:, column].copy()
            outputs[column] = advance_all(state, parameters, hours, missing, readings)
        if len(seconds):
            states["last_time"] = seconds[-1]
        return outputs

    def _check_parameters(self) -> None:
        require_rarity(self.alert_rarity)
        if self.interval_seconds is not None and not self.interval_seconds > 0:
            raise InvalidInputError(f"interval_seconds is {self.interval_seconds!r}: give a number above 0")
        if self.parameters is not None:
            self.parameters.validate()

    def _check_fitted(self) -> None:
        if not hasattr(self, "states_"):
            raise InvalidInputError(
                "this detector has learned nothing yet: call fit, partial_fit or update first"
            )

    def _checked(self, X: npt.ArrayLike) -> FloatArray:
        values = as_rows(X)
        if not hasattr(self, "states_"):
            return self._start(values)
        if values.shape[1] != self.n_features_in_:
            raise InvalidInputError(
                f"{values.shape[1]} columns: the detector has learned {self.n_features_in_}"
            )
        return values

    def _start(self, values: FloatArray) -> FloatArray:
        self._check_parameters()
        self._forget(values.shape[1])
        return values


def score_series(
    timestamps: Timestamps,
    values: npt.ArrayLike,
    *,
    alert_rarity: float = DEFAULT_ALERT_RARITY,
    interval_seconds: float | None = None,
    parameters: Parameters | None = None,
) -> SeriesScores:
    """Score a whole series from its first row, each row with only the rows before it.

    Parameters
    ----------
    timestamps : array of datetime64, aware datetimes or seconds since 1970, shape (n_rows,), or None
    values : array of shape (n_rows,) or (n_rows, n_columns)
    alert_rarity, interval_seconds, parameters
        As of `WatchkeeperDetector`.
    """
    detector = WatchkeeperDetector(
        alert_rarity=alert_rarity, interval_seconds=interval_seconds, parameters=parameters
    )
    return detector.update_all(values, timestamps=timestamps)


def _one(timestamp: datetime | float | None) -> Timestamps:
    if timestamp is None:
        return None
    return [timestamp] if isinstance(timestamp, datetime) else np.array([timestamp])
