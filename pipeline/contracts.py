"""What each state of the training workflow reads and writes.

The workflow's state is one JSON object, `WorkflowState`. A state writes its result at the one place that
`OUTPUTS` gives it, and JSON paths are derived from these types by `path`, so that a renamed field fails
when the definition is authored and not when it runs.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.lifecycle.run import TrainingRun
from watchkeeper.regression.drift_runs import DriftRun


@dataclass(frozen=True)
class Champion:
    """The model that serves now; `model` and `run_id` are null when there is none."""

    exists: bool
    model: str | None
    run_id: str | None


@dataclass(frozen=True)
class EndpointPresence:
    """Whether the workload's endpoint exists."""

    exists: bool


@dataclass(frozen=True)
class Window:
    """The part of the history to train on, ISO 8601; an empty string where the input sets no end."""

    start: str
    end: str


@dataclass(frozen=True)
class Sources:
    """Which of the two places that telemetry may come from have objects; never neither."""

    history: bool
    raw: bool


@dataclass(frozen=True)
class RegisteredModel:
    """The anomaly service's model that the workload serves; empty where it trains one."""

    uri: str


@dataclass(frozen=True)
class Polls:
    """How often the deployment has been looked at."""

    count: int


@dataclass(frozen=True)
class Validated:
    """Result of ValidateInput; it replaces the whole state."""

    run: TrainingRun
    champion: Champion
    endpoint: EndpointPresence
    window: Window
    sources: Sources
    registered: RegisteredModel
    polls: Polls


@dataclass(frozen=True)
class Opened:
    """Result of OpenRun: clean-up can refer to `$.run` also when validation fails."""

    run: None


@dataclass(frozen=True)
class TrainedArtifact:
    """The `model.tar.gz` that a training job wrote."""

    uri: str


@dataclass(frozen=True)
class Decision:
    """Result of DecidePromotion."""

    approved: bool
    reasons: list[str]
    metrics: dict[str, float]


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
class Explanation:
    """What is known of the model's explanations."""

    status: str
    """`explained`, or `skipped`."""
    summary: str
    """For people: what matters most, or why there is none."""
    uri: str
    """S3 prefix of the explanations; empty where there are none."""


@dataclass(frozen=True)
class Failure:
    """An error as Step Functions reports it."""

    Error: str
    Cause: str


@dataclass(frozen=True)
class CleanedUp:
    """Result of CleanUp: the error in readable words, and the names of what was removed."""

    reason: str
    removed: list[str]


@dataclass(frozen=True)
class WorkflowState:
    """Everything that may stand in the workflow's state."""

    run: TrainingRun
    champion: Champion
    endpoint: EndpointPresence
    window: Window
    sources: Sources
    registered: RegisteredModel
    polls: Polls
    preprocessor: TrainedArtifact
    detector: TrainedArtifact
    regressor: TrainedArtifact
    explanation: Explanation
    explain_error: Failure
    decision: Decision
    package: Package
    deployment: Deployment
    error: Failure
    cleanup: CleanedUp
    cleanup_error: Failure


@dataclass(frozen=True)
class DriftState:
    """Everything that may stand in the drift monitor's state: the result of CollectCaptures."""

    run: DriftRun
    compare: bool
    """Whether there is something to compare."""
    report_uri: str
    """Where the report is in the end."""


OUTPUTS: dict[str, tuple[str, type]] = {
    "CollectCaptures": ("$", DriftState),
    "OpenRun": ("$", Opened),
    "ValidateInput": ("$", Validated),
    "TrainPreprocessor": ("$.preprocessor", TrainedArtifact),
    "TrainDetector": ("$.detector", TrainedArtifact),
    "AdoptDetector": ("$.detector", TrainedArtifact),
    "TrainRegressor": ("$.regressor", TrainedArtifact),
    "SummarizeExplanation": ("$.explanation", Explanation),
    "SkipExplanation": ("$.explanation", Explanation),
    "DecidePromotion": ("$.decision", Decision),
    "RegisterModelPackage": ("$.package", Package),
    "RegisterUnexplainedModelPackage": ("$.package", Package),
    "FindEndpoint": ("$.endpoint", EndpointPresence),
    "CountPoll": ("$.polls", Polls),
    "DescribeEndpoint": ("$.deployment", Deployment),
    "DeploymentFailed": ("$.error", Failure),
    "DeploymentFailedUnexplained": ("$.error", Failure),
    "DeploymentTimedOut": ("$.error", Failure),
    "CleanUp": ("$.cleanup", CleanedUp),
    "CleanUpRejected": ("$.cleanup", CleanedUp),
    "CleanUpIncomplete": ("$.cleanup", CleanedUp),
}
"""Where each state puts its result, and the result's type; a state that is absent keeps none."""


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
