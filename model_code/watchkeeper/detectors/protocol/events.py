"""An anomaly as an event: it begins, goes on, and ends.

An alert is an instant: it says that something new begins and does not repeat. An event lasts from its first
alert until nothing unusual went on for `QUIET_ROWS` rows. Who reads alerts reads `is_anomaly`; who wants
every row of an anomaly reads `state`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.protocol.scores import Scores

FloatArray = npt.NDArray[np.float64]

BEGINS, ONGOING, ENDS = "begins", "ongoing", "ends"
QUIET_ROWS = 12


@dataclass(frozen=True)
class EventRows:
    """What rows are of an event.

    Attributes
    ----------
    state : ndarray of str, shape (n_rows,)
        `begins` at the first alert, `ongoing` after it, `ends` at the row on which it is over; else empty.
    severity : ndarray, shape (n_rows,)
        0 to 100: the highest severity of the event so far while it lasts, else the row's own.
    """

    state: npt.NDArray[np.str_]
    severity: FloatArray


class Events:
    """Follows the anomalies of one series through consecutive pieces of its scores.

    Examples
    --------
    >>> import numpy as np
    >>> severity = np.array([10.0, 80.0] + [30.0] * 14)
    >>> found = Events().follow(Scores(severity / 100, severity, severity > 75, severity))
    >>> found.state[:3].tolist(), found.state[-3:].tolist()
    (['', 'begins', 'ongoing'], ['ends', '', ''])
    """

    def __init__(self) -> None:
        self._severity: float | None = None
        self._quiet = 0

    def follow(self, scores: Scores) -> EventRows:
        """Return what the next rows are of an event."""
        state = np.full(len(scores), "", dtype="<U7")
        severity = scores.severity.copy()
        goes_on = scores.is_anomaly | scores.still_unusual
        for row, (anomaly, active) in enumerate(zip(scores.is_anomaly, goes_on, strict=True)):
            if self._severity is None:
                if anomaly:
                    self._severity, self._quiet = float(severity[row]), 0
                    state[row] = BEGINS
                continue
            self._severity = max(self._severity, float(severity[row]))
            severity[row] = self._severity
            self._quiet = 0 if active else self._quiet + 1
            ended = self._quiet >= QUIET_ROWS
            state[row] = ENDS if ended else ONGOING
            if ended:
                self._severity = None
        return EventRows(state, severity)
