"""Scores rows with the streaming detector, without a state that requests could change.

A row has its series' last intervals as lags. To score it, the detector goes on from the series' snapshot (its
state at the end of training): it learns the lags in time order and then scores the row's value. So a row has
one score, whichever instance answers, how often, in which order and beside which other rows. The detector
adapts to what is new within this context, and for good when the model is trained again.

**Where the context begins.** Not at the oldest lag but at an instant that consecutive rows share: with C =
`context // 2`, at the last multiple of C intervals since 1970 that is at least C intervals back. So a row
replays C to 2·C - 1 lags, and a row that follows another needs one step only from the state that the other
ended in. Such states are remembered by all that they depend on: series, first instant, and every value.
Remembering saves time and never changes a score.

**The gap before it.** Lags that the snapshot has learned already are passed over: until C intervals after the
end of training, a score is exactly the streaming detector's. Later there are intervals in between that the
row does not tell. The detector is not told that they are missing either, it goes on as if the context
followed the snapshot at once: missing intervals would empty its memory of the last 1,024 rows, and that
memory is what the model has learned. A gap in the series itself is the row's affair:
`watchkeeper.telemetry.context`
bridges a short one and begins the context anew after a long one, with few lags or none.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from containers.anomaly.snapshots import Snapshots
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.features.contributions import Contribution, largest_first
from watchkeeper.telemetry.rows import Row
from watchkeeper.telemetry.series import parse_series_key

REMEMBERED_STATES = 2048
"""About 16 KiB each."""

Floats = NDArray[np.float64]
_Key = tuple[str | None, int, bytes]


class ReplayScorer:
    """Scores rows from snapshots.

    Parameters
    ----------
    snapshots : Snapshots
    interval_seconds : int
    context : int
        Most intervals that a row may show, the current one included; at least 1.
    remembered : int
        How many states are kept.
    """

    needs_time = True

    def __init__(
        self,
        snapshots: Snapshots,
        *,
        interval_seconds: int,
        context: int,
        remembered: int = REMEMBERED_STATES,
    ) -> None:
        self.context = context
        self._snapshots = snapshots
        self._interval = interval_seconds
        self._remembered = remembered
        self._states: OrderedDict[_Key, WatchkeeperDetector] = OrderedDict()
        self._lock = Lock()

    def score(self, rows: Sequence[Row]) -> list[float]:
        """Return the anomaly_score of each row, 0 to 1, in the order of the rows.

        Raises
        ------
        InvalidInputError
            If a row is of a series that the model cannot know; names the record.
        """
        scores = [0.0] * len(rows)
        # in time order, so that a row finds the state that the one before it ended in
        for position in sorted(range(len(rows)), key=lambda at: rows[at].timestamp):
            row = rows[position]
            scores[position] = self._score(row, self._snapshot(row.series, position + 1))
        return scores

    def explain(self, rows: Sequence[Row]) -> list[tuple[Contribution, ...]]:
        """Return what each row's score is made of, the largest part first; the parts add up to the score.

        Lags count intervals. What comes from before the row's context has no lag.

        Raises
        ------
        InvalidInputError
            If a row is of a series that the model cannot know; names the record.
        """
        return [
            self._explain(row, self._snapshot(row.series, record)) for record, row in enumerate(rows, start=1)
        ]

    def _snapshot(self, series: str | None, record: int) -> WatchkeeperDetector:
        try:
            return self._snapshots.of(series)
        except InvalidInputError as error:
            raise InvalidInputError(f"record {record}: {error}", reason=error.reason) from error

    def _score(self, row: Row, snapshot: WatchkeeperDetector) -> float:
        detector, start, past = self._before(row, snapshot)
        score = detector.update(row.value, float(epoch_seconds(row.timestamp))).anomaly_score
        self._remember((row.series, start, np.append(past, row.value).tobytes()), detector)
        return score

    def _explain(self, row: Row, snapshot: WatchkeeperDetector) -> tuple[Contribution, ...]:
        detector, _, past = self._before(row, snapshot)
        _, parts = detector.explain_one(row.value, float(epoch_seconds(row.timestamp)))
        measure = None if row.series is None else parse_series_key(row.series).measure
        return largest_first(
            Contribution(
                part.feature,
                measure,
                part.lag if part.lag is not None and part.lag <= len(past) else None,
                part.score,
            )
            for part in parts
        )

    def _before(self, row: Row, snapshot: WatchkeeperDetector) -> tuple[WatchkeeperDetector, int, Floats]:
        """Return a detector that has learned the row's context, where it begins, and its values."""
        time = epoch_seconds(row.timestamp)
        past = self._past(row, time, _end_of(snapshot))
        start = time - self._interval * len(past)
        detector = self._recall((row.series, start, past.tobytes()))
        if detector is None:
            detector = copy.deepcopy(snapshot)
            if len(past):
                detector.update_all(past, timestamps=start + self._interval * np.arange(float(len(past))))
        return detector, start, past

    def _past(self, row: Row, time: int, end: int | None) -> Floats:
        block = max(self.context // 2, 1)
        index = time // self._interval
        count = min(index - (index - block) // block * block, len(row.lags), self.context - 1)
        if end is not None and time > end:
            count = min(count, (time - end - 1) // self._interval)
        return np.array(row.lags[:count][::-1], dtype=np.float64)

    def _recall(self, key: _Key) -> WatchkeeperDetector | None:
        with self._lock:
            found = self._states.get(key)
            if found is not None:
                self._states.move_to_end(key)
        return None if found is None else copy.deepcopy(found)

    def _remember(self, key: _Key, detector: WatchkeeperDetector) -> None:
        with self._lock:
            self._states[key] = detector
            self._states.move_to_end(key)
            while len(self._states) > self._remembered:
                self._states.popitem(last=False)


def _end_of(snapshot: WatchkeeperDetector) -> int | None:
    """Return the last instant that a detector has learned, if it has learned anything."""
    return int(snapshot.states_["last_time"][0]) if hasattr(snapshot, "states_") else None
