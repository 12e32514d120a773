"""How telemetry came, an interval a row."""

from __future__ import annotations

from pydantic import Field

from lambdas.console.documents.answer import Answer, Cursor, Instant
from watchkeeper.judgement.quality import SignalName


class LoggedInterval(Answer):
    """What came of an interval."""

    start: Instant
    objects: int
    rows: int = Field(description="Lines that were read.")
    accepted: int
    late: int = Field(description="Their interval had closed.")
    duplicated: int = Field(description="They had come before.")
    refused: dict[str, int] = Field(description="Lines that are no records, by reason.")
    off_clock: int = Field(description="They came earlier or later after their time than is usual.")
    devices: int
    series: int = Field(description="Those with a value.")
    new_series: int
    completeness: dict[str, float] = Field(
        description="By measure: share of the values that are there, of those whose device has a record."
    )
    scored: int
    unscored: int
    anomalies: int
    lag_seconds: float | None = Field(
        description="Mean time from a record to its arrival; null where none says it."
    )
    lag_most_seconds: float | None


class QualityItem(Answer):
    """A share that became unusual, or was usual again."""

    id: str
    signal: SignalName
    measure: str | None
    began: bool = Field(description="Else it is over.")
    at: Instant = Field(description="Start of the interval in which it was found.")
    since: Instant
    share: float
    of: int
    usual: float
    severity: float
    says: str


class WorkloadLog(Answer):
    """Intervals and what was unusual, in the order of time."""

    workload: str
    interval_seconds: int
    items: list[LoggedInterval]
    events: list[QualityItem]
    complete: bool = Field(description="Whether all that was asked for is here.")
    next: Cursor = None
