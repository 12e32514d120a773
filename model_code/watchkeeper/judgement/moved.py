"""Thresholds that people's feedback has moved, on the scale of severity.

Severity means the same for every model, so a moved threshold outlives trainings. What is no more severe than
it is no anomaly, and what is more severe is one; scores, thresholds that move by themselves, and what a
detector learns stay as they would be without feedback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from watchkeeper.core.documents import Document
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.telemetry.series import parse_series_key

Direction = Literal["above", "below"]
DIRECTIONS: tuple[Direction, ...] = ("above", "below")
FEEDBACK = "feedback"
"""What a line says decided, where a moved threshold decides otherwise than the score."""


@dataclass(frozen=True)
class MovedThresholds(Document, name="moved thresholds"):
    """Severities above which something is an anomaly, where that is not `THRESHOLD_SEVERITY`.

    It is false where nothing is moved: then scores alone decide.
    """

    series: Mapping[Direction, Mapping[str, float]] = field(default_factory=dict)
    measures: Mapping[Direction, Mapping[str, float]] = field(default_factory=dict)
    """Of series that no verdict is about."""

    def __bool__(self) -> bool:
        """Whether anything is moved."""
        return any(self.series.values()) or any(self.measures.values())

    def of(self, series: str, direction: Direction) -> float:
        """Return the threshold of a series on a side."""
        found = self.series.get(direction, {}).get(series)
        if found is not None:
            return found
        of_measures = self.measures.get(direction, {})
        if not of_measures:
            return THRESHOLD_SEVERITY
        return of_measures.get(parse_series_key(series).measure, THRESHOLD_SEVERITY)

    def of_value(self, series: str, value: float, expected: float | None) -> float:
        """Return the threshold on the side of a value; the lower one of both where it is on none.

        Examples
        --------
        >>> moved = MovedThresholds({"above": {"no2": 80.0}})
        >>> moved.of_value("no2", 5.0, 3.0), moved.of_value("no2", 1.0, 3.0), moved.of_value("no2", 1.0, None)
        (80.0, 70.0, 70.0)
        """
        if expected is not None and value != expected:
            return self.of(series, "above" if value > expected else "below")
        return min(self.of(series, direction) for direction in DIRECTIONS)

    def lowers(self, series: str) -> bool:
        """Tell whether something of a series may be an anomaly that is none by its score."""
        return any(self.of(series, direction) < THRESHOLD_SEVERITY for direction in DIRECTIONS)


NOTHING_MOVED = MovedThresholds()
