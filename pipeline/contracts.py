"""What each state of the training workflow reads and writes.

The workflow's state is one JSON object, `WorkflowState`. A state writes its result at the one place that
`OUTPUTS` gives it, and JSON paths are derived from these types by `path`, so that a renamed field fails
when the definition is authored and not when it runs. What functions answer is described in `lambdas.steps`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from lambdas.steps.clean_up import CleanedUp
from lambdas.steps.validate_input import EndpointPresence
from pipeline.step import DRIFT, EXPLAINING, TRAINING, OpenedRun, Polls
from watchkeeper.core.errors import ContractViolationError


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


OUTPUTS: dict[str, tuple[str, type]] = {
    "OpenRun": ("$", Opened),
    "TrainPreprocessor": ("$.preprocessor", TrainedArtifact),
    "TrainDetector": ("$.detector", TrainedArtifact),
    "AdoptDetector": ("$.detector", TrainedArtifact),
    "TrainRegressor": ("$.regressor", TrainedArtifact),
    "RegisterModelPackage": ("$.package", Package),
    "RegisterUnexplainedModelPackage": ("$.package", Package),
    "FindEndpoint": ("$.endpoint", EndpointPresence),
    "CountPoll": ("$.polls", Polls),
    "DescribeEndpoint": ("$.deployment", Deployment),
    "DeploymentFailed": ("$.error", Failure),
    "DeploymentFailedUnexplained": ("$.error", Failure),
    "DeploymentTimedOut": ("$.error", Failure),
    "CleanUpIncomplete": ("$.cleanup", CleanedUp),
    **{name: output for step in (*TRAINING, *EXPLAINING, *DRIFT) for name, output in step.outputs.items()},
}
"""Where each state puts its result, and the result's type; a state that is absent keeps none."""

CAUGHT = ("error", "explain_error", "cleanup_error")
"""Where the workflow keeps what its states' catches caught."""

WorkflowState = dataclasses.make_dataclass(
    "WorkflowState",
    {
        **get_type_hints(OpenedRun),
        **{place.removeprefix("$."): result for place, result in OUTPUTS.values() if place != "$"},
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
        known = get_type_hints(kind) if dataclasses.is_dataclass(kind) else {}
        if name not in known:
            raise ContractViolationError(
                f"path {fields!r}: {getattr(kind, '__name__', kind)} has no field {name!r}"
            )
        kind = known[name]
    return f"$.{fields}"
