"""Backtests: a workload's file as fields, what was asked for, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lambdas.backtesting.requests import MOST_DAYS, Stage, Status
from lambdas.console.documents.answer import Answer, Instant

MOST_TEXT = 100_000
Text = Annotated[str, Field(min_length=1, max_length=MOST_TEXT)]
Fate = Literal["same", "changed", "appears", "goes"]


class SettingItem(Answer):
    """A field of a workload's file that a backtest can judge."""

    key: str = Field(description="Such as `measures[0].ignore_below.absolute`.")
    about: str = Field(description="What it is of: `threshold`, a measure, `incidents`, `alerts`, a route.")
    name: str
    description: str
    kind: Literal["number", "whole", "choice", "duration"]
    value: str | int | float | None = Field(description="As the file means it; null where it is left out.")
    optional: bool
    choices: list[str]
    at_least: float | None
    at_most: float | None
    with_rule: str | None = Field(description="Of the threshold: the rule that it belongs to.")


class SpecDraft(Answer):
    """A workload's file that is no workload yet."""

    workload: str
    text: str
    settings: list[SettingItem]
    changes: list[str] = Field(description="What differs from the deployed plan, and what that would do.")


class DraftBody(BaseModel):
    """Another version of a workload's file."""

    model_config = ConfigDict(extra="forbid")

    text: Text | None = Field(default=None, description="YAML; null: as it was deployed.")
    settings: dict[str, str | int | float | None] = Field(
        default={}, max_length=500, description="Values by the keys of settings; null leaves one out."
    )


class BacktestBody(BaseModel):
    """Ask for a backtest."""

    model_config = ConfigDict(extra="forbid")

    text: Text = Field(description="YAML of the version to compare with what is deployed.")
    days: int = Field(default=30, ge=1, le=MOST_DAYS, description="Judged, before the end of the history.")


class BacktestItem(Answer):
    """A backtest."""

    backtest_id: str
    who: str
    asked_at: Instant
    days: int
    status: Status
    stage: Stage | None = Field(description="What it does now; null unless it runs.")
    since: Instant = Field(description="Since when the status or stage is so.")
    why: str | None = Field(description="What a failure says.")
    changes: list[str] = Field(description="Keys of the workload's file that differ.")


class Span(Answer):
    """The judged time."""

    start: Instant
    end: Instant
    weeks: float


class KeyChange(Answer):
    """A key of the plan that differs."""

    key: str
    before: str
    after: str


class VersionFigures(Answer):
    """What one version says of the judged time."""

    anomalies: int
    incidents: int
    alerts: int = Field(description="That would have gone out, over all channels.")
    anomalies_a_week: float
    incidents_a_week: float
    alerts_a_week: float
    precision: float | None = Field(
        description="Share of the incidents that meet a labelled window; null without labels."
    )
    recall: float | None = Field(description="Share of the labelled windows with an anomaly.")
    windows: int | None
    windows_found: int | None


class ToldIncident(Answer):
    """An incident that a version would make."""

    incident_id: str
    title: str
    opened_at: Instant
    last_at: Instant
    severity: float
    series: int


class ChangedIncident(Answer):
    """What overlaps in both versions, and is not the same."""

    before: list[ToldIncident]
    after: list[ToldIncident]


class IncidentFates(Answer):
    """Which incidents stay, change, appear and go; lists have an end, and counts tell of all."""

    same: int
    counts: dict[str, int] = Field(description="Of `changed`, `appear` and `go`.")
    changed: list[ChangedIncident]
    appear: list[ToldIncident]
    go: list[ToldIncident]


class IncidentMark(Answer):
    """An incident in the chart."""

    opened: int = Field(description="Seconds since 1970, as the next.")
    last: int
    severity: float
    fate: Fate


class Marks(Answer):
    """The most severe incidents of both versions."""

    before: list[IncidentMark]
    after: list[IncidentMark]


class BacktestResult(Answer):
    """Two versions over one history."""

    judged: Span
    series: int
    intervals: int
    changes: list[KeyChange]
    before: VersionFigures
    after: VersionFigures
    incidents: IncidentFates
    marks: Marks
    windows: list[list[int]] = Field(
        description="First and last second since 1970 of each labelled window in the judged time."
    )
    max_alerts_per_week: float = Field(description="What the edited version's gate allows.")
    notes: list[str]


class BacktestDetail(BacktestItem):
    """A backtest with what came of it."""

    workload: str
    text: str | None = Field(description="The edited file; null for who may not read files of workloads.")
    result: BacktestResult | None = Field(description="Null unless it has succeeded.")
