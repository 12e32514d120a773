"""Incidents, one and many, and what people say and do about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lambdas.console.documents.answer import Answer, Instant, fields_of
from watchkeeper.incidents.incident import Feedback, Incident
from watchkeeper.incidents.summary import IncidentSummary, LiveKind

MAX_NOTE, MAX_NAME = 1000, 128

Note = Annotated[str | None, Field(min_length=1, max_length=MAX_NOTE, description="Why, for others.")]


class IncidentItem(fields_of(IncidentSummary)):  # type: ignore[misc]  # a model that is made of a document
    """An incident in a list."""


class MovedThreshold(Answer):
    """Severities above which a series is anomalous, as feedback has moved them."""

    above: float
    below: float


class JudgedBy(Answer):
    """The release whose model found the anomalies, the newest of several."""

    run_id: str
    published_at: Instant | None = Field(description="Null where the release is no more kept.")
    live: bool = Field(description="Whether it judges still.")


class _IncidentBeside(Answer):
    release: JudgedBy | None
    thresholds: dict[str, MovedThreshold] = Field(
        description="By touched series: severities that make an anomaly of it now."
    )


class IncidentAnswer(fields_of(Incident, _IncidentBeside)):  # type: ignore[misc]  # likewise
    """An incident, with the release that judged it and what is an anomaly of its series now."""


class LiveEventItem(Answer):
    """One thing that has happened; the same as is pushed to who looks on."""

    id: str = Field(description="The same for each delivery; of an incident, `ID:NUMBER`, which grows.")
    at: Instant
    kind: LiveKind
    workload: str
    detail: dict[str, object] = Field(
        description="Of an incident: an `IncidentItem`; of a pause, a `PauseItem`, of one that ended, too."
    )


class Changes(Answer):
    """What has happened since."""

    items: list[LiveEventItem] = Field(description="The oldest first.")
    next: str = Field(description="Ask with it as `since` for what comes next.")
    more: bool = Field(description="Whether there is more already: ask again at once.")
    complete: bool = Field(description="Whether nothing is missing; else read anew what is shown.")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FeedbackBody(_Body):
    """What an incident was."""

    verdict: Feedback
    note: Note = None


class AcknowledgeBody(_Body):
    """Somebody looks after it."""

    note: Note = None


class AssignBody(_Body):
    """Hand it to somebody."""

    to: str = Field(min_length=1, max_length=MAX_NAME, description="Name of a person or a team.")


class SnoozeBody(_Body):
    """Hear nothing of it for a while: one of the two."""

    until: datetime | None = None
    for_seconds: int | None = Field(default=None, ge=60, le=30 * 86_400)

    @model_validator(mode="after")
    def _one(self) -> SnoozeBody:
        if (self.until is None) == (self.for_seconds is None):
            raise ValueError("give either until or for_seconds")
        return self


ListedState = Literal["open", "acknowledged", "closed", "any"]
