"""What a workflow trains and deploys: a model and its containers, whatever it learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sagemaker.inputs import TrainingInput
from stepfunctions.steps.states import State

from pipeline.contracts import path
from pipeline.jobs import MODEL_ARCHIVE, CodeArchive, Jobs, channel
from pipeline.tasks import JsonObject


class ServedModel(Protocol):
    """A trained model as SageMaker serves it."""

    def containers(self) -> list[JsonObject]:
        """Return the model's containers, in the order in which a request passes them: rows in, scores out."""


@dataclass(frozen=True)
class ScriptModeModel:
    """A model that our own code trains and serves, in one container of the SKLearn image.

    Parameters
    ----------
    state
        Name of the state that trains it.
    what
        Its entry files: `train_WHAT.py` and `serve_WHAT.py`.
    part
        What it is in the run: `detector`, `regressor`, `classifier` or `preprocessor`.
    code
        The archive that has its entry file for training.
    rows
        Whether it trains on the run's training rows; without them, on `more_channels` alone.
    """

    jobs: Jobs
    state: str
    what: str
    part: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    more_channels: Mapping[str, TrainingInput] = field(default_factory=dict)
    accept: str = "application/json"
    code: CodeArchive = MODEL_ARCHIVE
    rows: bool = True

    def fit(self) -> list[State]:
        """Return the state that trains it."""
        rows = {"train": channel(path("run.uris.train_rows"), "text/csv")} if self.rows else {}
        state = self.jobs.script_mode_training(
            self.state,
            self.what,
            job_name=path(f"run.names.{self.part}_job"),
            output=path(f"run.uris.{self.part}_output"),
            hyperparameters={name: str(value) for name, value in self.hyperparameters.items()},
            channels={**rows, **self.more_channels},
            code=self.code,
        )
        return [state]

    def containers(self) -> list[JsonObject]:
        """Return the one container."""
        return [self.jobs.script_mode_container(self.what, path(f"{self.part}.uri"), accept=self.accept)]
