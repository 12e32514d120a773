"""What is watched, and how it goes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lambdas.alerting.route_tests import RouteOutcome
from lambdas.console.documents.answer import Answer, Instant, fields_of
from lambdas.console.documents.incidents import Note
from lambdas.console.status import Health

Kind = Literal["anomaly", "regression", "fraud"]
SeriesKey = Annotated[
    str | None, Field(min_length=1, max_length=4096, description="Key of a series; null: the whole workload.")
]


class LiveRelease(Answer):
    """The model that judges now."""

    run_id: str
    published_at: Instant
    detector: str = Field(description="Algorithm.")


class PauseItem(Answer):
    """A time in which nothing is told of a workload, or of one of its series."""

    series: str | None = Field(description="Its key; null: of the whole workload.")
    since: Instant
    until: Instant | None = Field(description="Null: until somebody resumes it.")
    who: str
    note: str | None
    resumed_by: str | None = Field(description="Who ended it before its time.")


class PauseList(Answer):
    """The pauses that hold."""

    items: list[PauseItem]


class PauseBody(BaseModel):
    """Tell nothing of a workload, or of a series, for a while."""

    model_config = ConfigDict(extra="forbid")

    series: SeriesKey = None
    until: datetime | None = Field(default=None, description="Null: until somebody resumes it.")
    note: Note = None


class ResumeBody(BaseModel):
    """Tell again what happens from now on."""

    model_config = ConfigDict(extra="forbid")

    series: SeriesKey = None


class WorkloadItem(Answer):
    """A workload, and how it goes."""

    workload: str
    kind: Kind
    description: str = Field(description="What it watches, in a sentence.")
    health: Health = Field(
        description="`silent`: telemetry has stopped; `untrained`: no model is live; `attention`: something "
        "in `why` is to be looked at."
    )
    why: list[str] = Field(description="Sentences; empty where all is well.")
    series: int
    last_interval_at: Instant | None = Field(description="End of the last interval that has closed.")
    lag_seconds: float | None = Field(description="From that end to now.")
    interval_seconds: int | None = Field(description="Null of a kind without intervals.")
    time_zone: str = Field(description="IANA name: people read the source's times in it.")
    live_release: LiveRelease | None
    open_incidents: int
    alerts_7d: int = Field(description="In the seven days up to the last interval, as the gate counts them.")
    alert_budget_7d: float | None = Field(description="What the gate allows in a week, of all series.")
    pauses: list[PauseItem] = Field(description="Those that hold: nothing is told of it, or of a series.")
    records_24h: int | None = Field(description="Records scored; null where nothing is counted.")


class MeasureItem(Answer):
    """One number that is watched."""

    name: str
    field: str
    aggregate: str
    direction: Literal["above", "below", "both"] = Field(description="On which side an anomaly may be.")
    allowed_from: float | None = Field(description="A value below it is an anomaly whatever its score.")
    allowed_to: float | None


class RouteItem(Answer):
    """Where alerts go."""

    name: str = Field(description="Of the route in the workload's file.")
    channel: str
    severity_from: float
    when: list[Literal["opening", "escalation", "end"]]
    only: str | None = Field(description="What it is about, in words; null: everything.")


class WorkloadDetail(WorkloadItem):
    """A workload with what it is made of."""

    says: list[str] = Field(description="The plan in words, a sentence each.")
    measures: list[MeasureItem]
    dimensions: list[str]
    routes: list[RouteItem]
    plan: dict[str, object] = Field(description="The deployed plan: everything that the running parts know.")


class SpecText(Answer):
    """A workload's file as it was deployed, and what it means."""

    workload: str
    text: str | None = Field(description="YAML; null where it is not kept: `why` says why.")
    why: str | None
    says: list[str] = Field(description="The plan in words, a sentence each.")


class RouteTestBody(BaseModel):
    """Which routes are tested."""

    model_config = ConfigDict(extra="forbid")

    channels: list[Annotated[str, Field(min_length=1, max_length=256)]] = Field(
        default=[], max_length=20, description="Channels; none: all."
    )


class RouteOutcomeItem(fields_of(RouteOutcome)):  # type: ignore[misc]  # a model that is made of a document
    """What became of a route's sample at one receiver; `sent`: nobody tells whether it arrived."""


class RouteTests(Answer):
    """A test of routes: it is no incident, and counts as no alert."""

    items: list[RouteOutcomeItem]
