"""Series and their points."""

from __future__ import annotations

from pydantic import Field

from lambdas.console.documents.answer import Answer, Cursor, Instant
from watchkeeper.stream.health import HealthName


class SeriesItem(Answer):
    """One series: a measure of one value of each dimension."""

    series: str
    measure: str
    dimensions: dict[str, str]
    last_value: float | None
    last_at: Instant | None = Field(description="Start of its last closed interval with records.")
    health: HealthName
    muted: bool


class Points(Answer):
    """Scored intervals of one series as columns of the same length, in the order of time."""

    series: str
    interval_seconds: int
    start: list[int] = Field(description="Starts of intervals, in seconds since 1970.")
    value: list[float | None] = Field(description="Null: nothing came.")
    expected: list[float | None]
    lower: list[float | None]
    upper: list[float | None]
    score: list[float | None] = Field(description="anomaly_score; null where it could not be scored.")
    threshold: list[float | None] = Field(description="What judged the score.")
    severity: list[float | None]
    anomalous: list[bool]
    complete: bool = Field(description="Whether all that was asked for is here.")
    next: Cursor = None
