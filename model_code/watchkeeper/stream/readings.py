"""The readings of one object of telemetry, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_microseconds
from watchkeeper.stream.placement import bits_of
from watchkeeper.telemetry.records import Record
from watchkeeper.telemetry.selection import is_excluded
from watchkeeper.telemetry.series import series_key

if TYPE_CHECKING:  # Python 3.10, which the SageMaker containers have, does not have it
    from typing import Self

HASH_LENGTH = 16
"""Hexadecimal characters: 64 bits."""

_EXCLUDED = -1
NOT_SAID = 0
"""Of a record that does not say when it was received."""
_COLUMNS = np.dtype(
    [
        ("series", "<i4"),
        ("event_time", "<i8"),
        ("value", "<f8"),
        ("record_id", "<u8"),
        ("identity", "<u8"),
        ("line", "<i4"),
        ("received_at", "<i8"),
    ]
)
_PER_MILLISECOND = 1000


@dataclass(frozen=True)
class Source:
    """Where readings come from: what identifies them, and when they were delivered."""

    object_id: str
    """The same for every announcement of the same content."""
    hour: str
    """In which they were delivered, such as `2026-11-29T17`; from the object's key, never from the clock."""
    key: str = ""
    """Of the object, for whoever looks into what was refused."""
    place: str = ""
    """`s3://bucket/key` of it."""
    version: str = ""

    @property
    def number(self) -> int:
        """The object's identity in 64 bits."""
        return int(short_hash(self.object_id, HASH_LENGTH), 16)


@dataclass(frozen=True)
class Whole:
    """What is counted of an object as a whole, on the one shelf that has its first reading."""

    lines: int
    """Those that are not empty."""
    refused: tuple[tuple[str, int], ...] = ()
    """How many of them are no records, by reason."""


@dataclass(frozen=True, eq=False)
class Readings:
    """One value of one series a row, in the order of the object."""

    series: tuple[str, ...]
    """Keys, each once."""
    rows: npt.NDArray[np.void]
    """`series` (position in `series`), `event_time` (microseconds since 1970), `value`, `record_id`,
    `identity` (what it counts once by in its interval: `record_id`, but of measures that count different
    values), `line` (from 1), `received_at` (as `event_time`; `NOT_SAID`)."""
    texts: Mapping[int, bytes]
    """Lines as they were written, by number."""
    whole: Whole | None = None
    """None where the object's first reading is on another shelf."""

    @classmethod
    def none(cls) -> Self:
        """No reading."""
        return cls((), np.zeros(0, dtype=_COLUMNS), {})

    @classmethod
    def of(
        cls,
        lines: Iterable[tuple[int, bytes, Record]],
        plan: WorkloadPlan,
        refused: Iterable[tuple[str, int]] = (),
    ) -> Self:
        """Take the readings out of lines: number, text and record of each. Excluded series have none.

        Parameters
        ----------
        refused
            How many lines of the object are no records, by reason.
        """
        positions: dict[str, int] = {}
        known: dict[tuple[str, ...], dict[str, int]] = {}
        rows: list[tuple[Any, ...]] = []
        texts = {}
        for number, text, record in lines:
            texts[number] = text
            instant, record_id = epoch_microseconds(record.event_time), int(record.record_id, 16)
            received_at = NOT_SAID if record.received_at is None else record.received_at * _PER_MILLISECOND
            place = tuple(record.dimensions.values())
            of_place = known.get(place)
            if of_place is None:
                of_place = known[place] = {}
            for measure, value in record.measures.items():
                if value is None:
                    continue
                position = of_place.get(measure)
                if position is None:
                    if is_excluded(plan, measure, record.dimensions):
                        position = _EXCLUDED
                    else:
                        key = series_key(measure, record.dimensions, plan)
                        position = positions.setdefault(key, len(positions))
                    of_place[measure] = position
                if position == _EXCLUDED:
                    continue
                identity = record.identity_of(measure) if record.values else record_id
                rows.append((position, instant, value, record_id, identity, number, received_at))
        refused = tuple(refused)
        whole = Whole(len(texts) + sum(count for _, count in refused), refused)
        return cls(tuple(positions), np.array(rows, dtype=_COLUMNS), texts, whole)

    def by_path(self) -> dict[str, list[int]]:
        """Return the positions of the series by the path to their shelf."""
        paths: dict[str, list[int]] = {}
        of_place: dict[str, str] = {}
        for position, series in enumerate(self.series):
            place = series.partition("|")[2]
            path = of_place.get(place)
            if path is None:
                path = of_place[place] = bits_of(series)
            paths.setdefault(path, []).append(position)
        return paths

    def of_series(self, positions: Iterable[int]) -> Readings:
        """Return the readings of some series."""
        chosen = sorted(positions)
        moved = np.full(len(self.series), -1, dtype=np.int32)
        moved[chosen] = np.arange(len(chosen), dtype=np.int32)
        here = moved[self.rows["series"]] >= 0
        rows = self.rows[here]
        rows["series"] = moved[rows["series"]]
        whole = self.whole if not len(here) or here[0] else None
        return Readings(tuple(self.series[position] for position in chosen), rows, self.texts, whole)
