"""The index of the held-back rows: what evaluation knows of each row besides its score. One JSON object a
line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document


@dataclass(frozen=True)
class HoldbackRow(Document, name="row of the holdback index", sort_keys=False):
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
