"""The index of the held-back rows: what evaluation knows of each row besides its score. One JSON object a
line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.errors import ContractViolationError


@dataclass(frozen=True)
class HoldbackRow:
    """One held-back row."""

    series: str
    interval_start: str
    """ISO 8601, UTC."""
    value: float
    part: Literal["calibrate", "test"]
    label: bool | None
    """Whether the interval is in a labelled window; None where there are no labels."""
    expected: float | None
    lower: float | None
    upper: float | None

    def to_json(self) -> str:
        """Return the row as one line of JSON."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"), allow_nan=False)


def read_holdback(lines: Iterable[str]) -> Iterator[HoldbackRow]:
    """Read the index.

    Raises
    ------
    ContractViolationError
        If a line is not what `HoldbackRow.to_json` writes; the message names its number.
    """
    for number, line in enumerate(lines, start=1):
        yield _read(line, number)


def _read(line: str, number: int) -> HoldbackRow:
    try:
        return HoldbackRow(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise ContractViolationError(f"holdback index, line {number}: {error}") from error
