"""The registered versions of a workload's model, and what people say of them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lambdas.console.documents.answer import Answer, Instant
from lambdas.console.documents.incidents import Note
from lambdas.console.documents.runs import Chart, GateRow


class ModelItem(Answer):
    """A version of a workload's model."""

    version: int = Field(ge=1)
    approval: Literal["pending", "approved", "rejected"] = Field(
        description="`pending` until its release is published; only an approved one is served by its number."
    )
    said: str | None = Field(description="Why it is approved or rejected.")
    created_at: Instant
    run_id: str | None = Field(description="Of the training that registered it.")
    serves: bool = Field(description="Whether its release judges now.")
    kept: bool = Field(description="Whether its release is kept, and may judge again.")
    figures: dict[str, float | None] = Field(description="Its metrics; empty where its run has none.")


class ModelDetail(ModelItem):
    """A version with how it did and what it is made of."""

    arn: str
    artifacts: list[str] = Field(description="`s3://` locations, in the order in which they are asked.")
    table: list[GateRow]
    labelled: bool | None
    judged_by: Literal["points", "events"] | None
    charts: list[Chart]
    report: str | None = Field(description="Signed address of the explanation report.")
    expires_in_seconds: int


class ModelVerdictBody(BaseModel):
    """Why a version is approved or rejected."""

    model_config = ConfigDict(extra="forbid")

    note: Note = None
