"""Many series at once: the Watchkeeper detector over an array of states, one interval a call.

A series' state is one record of `state.STATE` (fixed size, under 16 KiB), and the step is the one compiled
function that a single series uses, so a fleet's scores are those of one detector a series, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.protocol.detector import require_rarity
from watchkeeper.detectors.streaming import fleet_files
from watchkeeper.detectors.streaming.detector import DEFAULT_ALERT_RARITY
from watchkeeper.detectors.streaming.kernel import OUTPUT, advance_rows
from watchkeeper.detectors.streaming.scores import SeriesScores, interpret
from watchkeeper.detectors.streaming.state import BLOCK_ROWS, BLOCKS, STATE, Parameters, new_states
from watchkeeper.detectors.streaming.times import hours_of_week, missing_between, to_seconds

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
States = npt.NDArray[np.void]
# States come in shelves of this many, so that a fleet grows without moving those that it has.
SHELF = 1024


class Fleet:
    """Find what is new in each of many series, an interval at a time.

    A series is a number that `join` gives out; the caller knows which one it is. A number is given out again
    after its series has left.

    Parameters
    ----------
    alert_rarity, interval_seconds, parameters
        As of `WatchkeeperDetector`.
    threads : int, default 1
        Threads that share the work of one `update`. The scores do not depend on it.

    Examples
    --------
    >>> import numpy as np
    >>> fleet = Fleet()
    >>> series = fleet.join(3)
    >>> for row in range(500):
    ...     scores = fleet.update(series, np.sin([row / 10, row / 11, row / 12]))
    >>> fleet.update(series, [0.0, 9.0, np.nan]).is_anomaly.tolist()
    [False, True, False]
    """

    def __init__(
        self,
        *,
        alert_rarity: float = DEFAULT_ALERT_RARITY,
        interval_seconds: float | None = None,
        parameters: Parameters | None = None,
        threads: int = 1,
    ) -> None:
        require_rarity(alert_rarity)
        if interval_seconds is not None and not interval_seconds > 0:
            raise InvalidInputError(f"interval_seconds is {interval_seconds!r}: give a number above 0")
        if threads < 1:
            raise InvalidInputError(f"threads is {threads!r}: give at least 1")
        self.alert_rarity = alert_rarity
        self.interval_seconds = interval_seconds
        self.parameters = parameters or Parameters()
        self.parameters.validate()
        self.threads = threads
        self._shelves: list[States] = []
        self._present = np.zeros(0, dtype=np.bool_)
        self._free = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        """Return how many series there are."""
        return int(self._present.sum())

    @property
    def series(self) -> IntArray:
        """The numbers of the series, ascending."""
        return np.flatnonzero(self._present)

    @property
    def state_bytes(self) -> int:
        """Memory that the states take, those kept for series to come included."""
        return sum(shelf.nbytes for shelf in self._shelves)

    def join(self, count: int, states: States | None = None) -> IntArray:
        """Add series and return their numbers, shape (count,).

        Parameters
        ----------
        count : int
        states : array of STATE, shape (count,), optional
            What they have learned, such as `states_` of a `WatchkeeperDetector`; nothing by default.
        """
        if count < 0:
            raise InvalidInputError(f"count is {count}: give at least 0")
        if states is not None and (states.dtype != STATE or states.shape != (count,)):
            raise InvalidInputError(
                f"{states.shape} states for {count} series: give one record of STATE each"
            )
        while len(self._free) < count:
            self._add_shelves(count - len(self._free))
        chosen, self._free = self._free[:count], self._free[count:]
        self._present[chosen] = True
        for shelf, rows, places in self._by_shelf(chosen):
            shelf[rows] = new_states(len(rows)) if states is None else states[places]
        return chosen

    def leave(self, series: npt.ArrayLike) -> None:
        """Forget series; their numbers are free again."""
        numbers = self._checked(series)
        self._present[numbers] = False
        self._free = np.sort(np.concatenate((self._free, numbers)))

    def update(
        self,
        series: npt.ArrayLike,
        values: npt.ArrayLike,
        timestamps: npt.NDArray[Any] | Sequence[datetime] | Sequence[float] | datetime | float | None = None,
    ) -> SeriesScores:
        """Score one value of each of these series, then learn it.

        Series that are not named learn nothing; with `interval_seconds` and timestamps, the intervals that
        they missed count when they are named again.

        Parameters
        ----------
        series : array of int, shape (n,)
            Each at most once.
        values : array, shape (n,)
            NaN is a missing interval.
        timestamps : one for all, or one for each series, shape (n,), optional

        Returns
        -------
        SeriesScores
            One row a series, in the order of `series`.

        Raises
        ------
        InvalidInputError
            A number is unknown or given twice, a value is infinite, or shapes differ.
        """
        numbers = self._checked(series)
        readings = np.asarray(values, dtype=np.float64)
        if readings.shape != numbers.shape:
            raise InvalidInputError(f"{readings.shape} values for {numbers.shape} series")
        if np.isinf(readings).any():
            raise InvalidInputError(
                f"the value of series {numbers[np.isinf(readings)][0]} is infinite: "
                "give a finite number, or NaN for a missing interval"
            )
        seconds = _seconds_of_each(timestamps, len(numbers))
        outputs = np.zeros(len(numbers), dtype=OUTPUT)
        self._advance(numbers, readings, seconds, outputs)
        return interpret(outputs[np.newaxis], self.alert_rarity, np.isnan(readings))

    def save(self, folder: Path) -> None:
        """Write the fleet to a folder; see `fleet_files` for the format. One that was there is replaced."""
        settings = {
            "alert_rarity": self.alert_rarity,
            "interval_seconds": self.interval_seconds,
            "parameters": asdict(self.parameters),
        }
        fleet_files.write(folder, settings, self._present, self._shelves)

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Self:
        """Return the fleet that `save` wrote; it goes on bit for bit as the original would.

        States are mapped from the file and read as they are needed; changes stay in memory.
        """
        settings, present, states = fleet_files.read(folder)
        chosen = settings.pop("parameters")
        try:
            fleet = cls(**settings, parameters=Parameters(**chosen), threads=threads)
        except TypeError as error:
            raise ContractViolationError(f"{folder}: unexpected settings ({error})") from error
        if states.dtype != STATE or len(states) != len(present) or len(states) % SHELF:
            raise ContractViolationError(
                f"{folder}: its states do not have this package's fields; start anew"
            )
        fleet._shelves = [states[start : start + SHELF] for start in range(0, len(states), SHELF)]
        fleet._present = present
        fleet._free = np.flatnonzero(~present)
        return fleet

    def _advance(self, numbers: IntArray, values: FloatArray, seconds: FloatArray, outputs: States) -> None:
        parameters, hours = self.parameters.record(), hours_of_week(seconds)

        def advance_part(part: list[tuple[States, IntArray, IntArray]]) -> None:
            for shelf, rows, places in part:
                missing = missing_between(
                    shelf["last_time"][rows],
                    seconds[places],
                    self.interval_seconds,
                    limit=BLOCK_ROWS * BLOCKS,
                )
                outputs[places] = advance_rows(
                    shelf, parameters, hours[places], missing, values[places], places=rows
                )
                shelf["last_time"][rows] = seconds[places]

        shelves = list(self._by_shelf(numbers))
        if self.threads == 1 or len(shelves) == 1:
            advance_part(shelves)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(advance_part, [shelves[first :: self.threads] for first in range(self.threads)]))

    def _by_shelf(self, numbers: IntArray) -> Iterator[tuple[States, IntArray, IntArray]]:
        """Yield each shelf with the rows on it that the numbers stand for and their places in `numbers`."""
        order = np.argsort(numbers, kind="stable")
        shelves = numbers[order] // SHELF
        starts = np.flatnonzero(np.diff(shelves, prepend=-1))
        for start, stop in zip(starts, np.append(starts, len(numbers))[1:], strict=True):
            places = order[start:stop]
            yield self._shelves[shelves[start]], numbers[places] % SHELF, places

    def _checked(self, series: npt.ArrayLike) -> IntArray:
        numbers = np.asarray(series)
        if numbers.ndim != 1 or (len(numbers) and numbers.dtype.kind not in "iu"):
            raise InvalidInputError("series is not a list of whole numbers, as `join` gives out")
        numbers = numbers.astype(np.int64)
        known = (numbers >= 0) & (numbers < len(self._present))
        known[known] = self._present[numbers[known]]
        if not known.all():
            raise InvalidInputError(f"series {numbers[~known][0]} is not in the fleet")
        times = np.bincount(numbers, minlength=1)
        if times.max() > 1:
            raise InvalidInputError(f"series {times.argmax()} is given twice: one value of each an update")
        return numbers

    def _add_shelves(self, series: int) -> None:
        first = len(self._present)
        count = -(-series // SHELF)
        self._shelves += [np.empty(SHELF, dtype=STATE) for _ in range(count)]
        self._present = np.append(self._present, np.zeros(count * SHELF, dtype=np.bool_))
        self._free = np.append(self._free, np.arange(first, first + count * SHELF))


def _seconds_of_each(timestamps: Any, count: int) -> FloatArray:
    if timestamps is None or np.ndim(timestamps):
        return to_seconds(timestamps, count)
    one = np.array([timestamps]) if isinstance(timestamps, np.datetime64) else [timestamps]
    return np.full(count, to_seconds(one, 1)[0])
