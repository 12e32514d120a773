"""What people say of stretches of series: labels, and verdicts on incidents that touched them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lambdas.console.documents.answer import Answer, Instant
from lambdas.console.documents.incidents import Note
from watchkeeper.incidents.incident import Feedback


class LabelItem(Answer):
    """A stretch of one series, and what somebody says of it."""

    label: str = Field(description="Its id; of a verdict, that of the incident.")
    source: Literal["label", "verdict"] = Field(
        description="`verdict`: said of an incident, and taken back there."
    )
    what: Feedback = Field(description="`real`: an anomaly to the next training; a label is no other.")
    series: str
    start: Instant
    end: Instant = Field(description="Of its last interval.")
    at: Instant
    who: str
    note: str | None


class StretchBody(BaseModel):
    """A stretch of a series that was an anomaly."""

    model_config = ConfigDict(extra="forbid")

    series: str = Field(min_length=1, max_length=4096)
    start: datetime
    end: datetime = Field(description="Not included. Both are moved outwards to limits of intervals.")
    note: Note = None
