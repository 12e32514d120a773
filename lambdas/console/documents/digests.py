"""A day of workloads: what the digest of a route tells, for each of them."""

from __future__ import annotations

from pydantic import Field

from lambdas.console.documents.answer import Answer, Instant


class DigestIncident(Answer):
    """An incident of a day."""

    incident_id: str
    title: str
    severity: float
    state: str = Field(description="As it is now.")
    opened_at: Instant
    last_at: Instant
    assigned_to: str | None


class DigestQuality(Answer):
    """How the telemetry of a day came."""

    records: int
    late: int
    duplicated: int
    refused: int
    off_clock: int
    says: list[str] = Field(description="What was unusual, a sentence each.")
    complete: bool = Field(description="Whether all intervals of the day are counted.")


class WorkloadDigest(Answer):
    """A day of a workload. Lists have an end; `counts` is of all."""

    workload: str
    since: Instant
    until: Instant = Field(description="The end of the day by the clocks of its zone, or now.")
    time_zone: str
    opened: list[DigestIncident] = Field(description="That began in the day, the most severe first.")
    open: list[DigestIncident] = Field(description="That were not over at its end, whenever they began.")
    closed: list[DigestIncident] = Field(description="That ended in it.")
    counts: dict[str, int] = Field(description="Of `opened`, `open`, `closed` and `silent`.")
    alerts_7d: int = Field(description="In the seven days up to its end.")
    alert_budget_7d: float
    silent: list[str] = Field(description="Series of open incidents that say nothing.")
    quality: DigestQuality


class DayDigest(Answer):
    """A day of the workloads that the caller may see."""

    date: str
    items: list[WorkloadDigest] = Field(description="Those of which there is most to see first.")
