"""What may stand in the state of a service's execution: the task, and what its states add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline import contracts
from watchkeeper.service.tasks import TaskFiles, TaskOutputs


@dataclass(frozen=True)
class Parameters:
    """The fields of a request that states read."""

    model_name: str
    save_charts: bool
    detection_type: str
    method_name: str
    parameters: dict[str, Any]
    """Of the univariate method."""


@dataclass(frozen=True)
class Search:
    """The shares of a search's candidates, each a job."""

    chunks: list[int]


@dataclass(frozen=True)
class TrainedModel:
    """The `model.tar.gz` that the training job wrote."""

    uri: str


@dataclass(frozen=True)
class Judged:
    """What the job that judged a table says of it."""

    metrics: str
    """JSON."""


@dataclass(frozen=True)
class Package:
    """The registered model package."""

    arn: str


@dataclass(frozen=True)
class TaskState:
    """Everything that may stand in a task's state: the fields of `TaskInput`, then the states' own."""

    tenant: str
    id: str
    bucket: str
    parameters: Parameters
    files: TaskFiles
    outputs: TaskOutputs
    results: dict[str, str]
    search: Search
    chunk: int
    """Within the iteration over a search's shares only: which of them."""
    model: TrainedModel
    judged: Judged
    package: Package


OUTPUTS: dict[str, tuple[str, type]] = {
    "PlanSearch": ("$.search", Search),
    "FitDetector": ("$.model", TrainedModel),
    "FitBestDetector": ("$.model", TrainedModel),
    "Judge": ("$.judged", Judged),
    "JudgeLabelled": ("$.judged", Judged),
    "JudgeColumns": ("$.judged", Judged),
    "RegisterModel": ("$.package", Package),
    "RegisterBestModel": ("$.package", Package),
}
"""Where each state puts its result, and the result's type; a state that is absent keeps none."""


def path(fields: str) -> str:
    """Return the JSON path to a field of the state: `files.features` gives `$.files.features`."""
    return contracts.path(fields, TaskState)


def placed(state: Any) -> Any:
    """Put a state's result where `OUTPUTS` says."""
    state.fields["result_path"] = OUTPUTS[state.state_id][0] if state.state_id in OUTPUTS else None
    return state
