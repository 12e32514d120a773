"""Trainings, their states and their gate, and the releases that came of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lambdas.console.documents.answer import Answer, Instant

RunStatus = Literal["running", "succeeded", "rejected", "failed", "stopped"]
StateStatus = Literal["waiting", "running", "succeeded", "failed", "caught"]


class Gate(Answer):
    """What the gate decided."""

    passed: bool
    reasons: list[str] = Field(description="Sentences with the figures in them.")


class RunItem(Answer):
    """A training run."""

    run_id: str
    execution: str = Field(description="ARN of the Step Functions execution.")
    status: RunStatus = Field(description="`rejected`: it went well, and the gate refuses the model.")
    reason: str | None = Field(description="Why it was started.")
    started_at: Instant
    ended_at: Instant | None
    model: str | None = Field(description="Name of the model, of one that was approved.")
    gate: Gate | None = Field(description="Null while there is no decision.")


class RunState(Answer):
    """A state of the workflow, as the definition has it and the execution went through it."""

    name: str
    kind: str = Field(description="Task, Choice, Pass, Wait, Parallel, Map, Succeed or Fail.")
    status: StateStatus = Field(
        description="`waiting`: not entered; `caught`: failed, and the workflow went on as it says."
    )
    entered_at: Instant | None
    exited_at: Instant | None
    visits: int
    error: str | None
    cause: str | None = Field(description="In words.")
    next: list[str] = Field(description="States that may follow.")


class GateRow(Answer):
    """A figure of the evaluation, of all that were measured on the same rows."""

    figure: str
    candidate: float | None
    champion: float | None = Field(description="Of the model in service; null where there was none.")
    baseline: float | None = Field(description="Of the trivial detector.")


class Chart(Answer):
    """A picture of the evaluation."""

    name: str
    url: str = Field(description="Signed; see `expires_in_seconds` of the run.")


class RunDetail(RunItem):
    """A training run with its states, its figures and its charts."""

    error: str | None = Field(description="Of the execution.")
    cause: str | None = Field(description="In words.")
    states: list[RunState] = Field(description="In the order of the definition.")
    table: list[GateRow]
    labelled: bool | None = Field(
        description="Whether there are figures by labels; null without an evaluation."
    )
    judged_by: Literal["points", "events"] | None
    charts: list[Chart]
    report: str | None = Field(description="Signed address of the explanation report.")
    expires_in_seconds: int


class ReleaseItem(Answer):
    """A model that was published, or staged to be."""

    run_id: str
    published_at: Instant
    live: bool
    detector: str
    figures: dict[str, float | None] = Field(description="The candidate's metrics of its evaluation.")
    can_roll_back: bool = Field(description="Whether it may judge again.")


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TrainingBody(_Body):
    """Start a training."""

    reason: Annotated[str, Field(min_length=1, max_length=256)] = "asked for in the console"
    start: datetime | None = Field(default=None, description="Train on data from here.")
    end: datetime | None = Field(default=None, description="Train on data before this.")


class RunStarted(Answer):
    """A training that was started."""

    execution: str
    run_id: str


class RollBackBody(_Body):
    """Let an earlier release judge again."""

    confirm: str = Field(description="The workload's name once more.")
