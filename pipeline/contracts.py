"""What each state of the workflows reads and writes.

A workflow's state is one JSON object: of a training `WorkflowState`, of a task of the anomaly service
`TaskState`. A state writes its result at the one place that `OUTPUTS` gives it, and JSON paths are derived
from these types by `path`, so that a renamed field fails when the definition is authored, not when it runs.
What functions answer is described in `lambdas.steps`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, get_args, get_origin, get_type_hints

from lambdas.steps.clean_up import CleanedUp
from lambdas.steps.validate_input import EndpointPresence
from pipeline.step import EVERY_STEP, OpenedRun, Polls
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.service.tasks import TaskFiles, TaskOutputs


@dataclass(frozen=True)
class Opened:
    """Result of OpenRun: clean-up can refer to `$.run` also when validation fails."""

    run: None


@dataclass(frozen=True)
class TrainedArtifact:
    """The `model.tar.gz` that a training job wrote."""

    uri: str


@dataclass(frozen=True)
class Package:
    """The registered model package."""

    arn: str


@dataclass(frozen=True)
class Deployment:
    """The endpoint as last described."""

    EndpointName: str
    EndpointConfigName: str
    EndpointStatus: str
    FailureReason: str


@dataclass(frozen=True)
class Failure:
    """An error as Step Functions reports it."""

    Error: str
    Cause: str


@dataclass(frozen=True)
class Parameters:
    """The fields of a request to the service that states read."""

    request_id: str
    model_name: str
    save_charts: bool
    decimal: str
    detection_type: str
    method_name: str
    parameters: dict[str, Any]
    """Of the univariate method."""


@dataclass(frozen=True)
class Search:
    """The shares of a search's candidates, each a job."""

    chunks: list[int]


@dataclass(frozen=True)
class Judged:
    """What the job that judged a table says of it."""

    metrics: str
    """JSON."""


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
    model: TrainedArtifact
    judged: Judged
    package: Package


_TRAINING: dict[str, tuple[str, type]] = {
    "OpenRun": ("$", Opened),
    "TrainPreprocessor": ("$.preprocessor", TrainedArtifact),
    "TrainDetector": ("$.detector", TrainedArtifact),
    "AdoptDetector": ("$.detector", TrainedArtifact),
    "TrainRegressor": ("$.regressor", TrainedArtifact),
    "TrainClassifier": ("$.classifier", TrainedArtifact),
    "RegisterModelPackage": ("$.package", Package),
    "RegisterUnexplainedModelPackage": ("$.package", Package),
    "FindEndpoint": ("$.endpoint", EndpointPresence),
    "CountPoll": ("$.polls", Polls),
    "DescribeEndpoint": ("$.deployment", Deployment),
    "DeploymentFailed": ("$.error", Failure),
    "DeploymentFailedUnexplained": ("$.error", Failure),
    "DeploymentTimedOut": ("$.error", Failure),
    "CleanUpIncomplete": ("$.cleanup", CleanedUp),
    **{name: output for step in EVERY_STEP for name, output in step.outputs.items()},
}
OUTPUTS: dict[str, tuple[str, type]] = {
    **_TRAINING,
    "PlanSearch": ("$.search", Search),
    "FitDetector": ("$.model", TrainedArtifact),
    "FitBestDetector": ("$.model", TrainedArtifact),
    "Judge": ("$.judged", Judged),
    "JudgeLabelled": ("$.judged", Judged),
    "JudgeColumns": ("$.judged", Judged),
    "RegisterModel": ("$.package", Package),
    "RegisterBestModel": ("$.package", Package),
}
"""Where each state puts its result, and the result's type; a state that is absent keeps none."""

CAUGHT = ("error", "explain_error", "cleanup_error")
"""Where the workflow keeps what its states' catches caught."""

WorkflowState = dataclasses.make_dataclass(
    "WorkflowState",
    {
        **get_type_hints(OpenedRun),
        **{place.removeprefix("$."): result for place, result in _TRAINING.values() if place != "$"},
        **dict.fromkeys(CAUGHT, Failure),
    }.items(),
)
"""Everything that may stand in the training workflow's state."""


def path(fields: str, contract: type = WorkflowState) -> str:
    """Return the JSON path to a field of a contract: `run.names.model` gives `$.run.names.model`.

    Raises
    ------
    ContractViolationError
        If the contract has no such field.
    """
    kind: Any = contract
    for name in fields.split("."):
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
            continue
        known = _fields(kind)
        if name not in known:
            raise ContractViolationError(
                f"path {fields!r}: {getattr(kind, '__name__', kind)} has no field {name!r}"
            )
        kind = known[name]
    return f"$.{fields}"


@cache
def _fields(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind) if dataclasses.is_dataclass(kind) else {}


task_path = partial(path, contract=TaskState)
"""Returns the JSON path to a field of a task's state: `files.features` gives `$.files.features`."""
