"""What a run that did not end well leaves, and what may be removed of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lambdas.adapters.sagemaker_resources import EndpointDescription
from watchkeeper.kinds import AnyRelease
from watchkeeper.lifecycle.run import TrainingRun

FAILED = frozenset({"Failed", "OutOfService"})
CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


class EndpointAction(Enum):
    """What to do with the endpoint."""

    LEAVE = "leave"
    """Another configuration is live, or there is no endpoint."""
    KEEP = "keep"
    """It serves the run's configuration, which is published, or there is no other one to go back to."""
    GO_BACK = "go back"
    """It serves the run's configuration; the live release's is to serve again."""
    REMOVE = "remove"
    """The run made it and it never served. While it is there, no later run can deploy."""
    WAIT = "wait"
    """It is changing: it cannot be judged yet."""


@dataclass(frozen=True)
class Verdict:
    """What happens to the endpoint, and a sentence for people."""

    action: EndpointAction
    sentence: str

    @property
    def run_is_needed(self) -> bool:
        """Whether the endpoint still needs the run's configuration, model and release."""
        return self.action in (EndpointAction.KEEP, EndpointAction.GO_BACK)


def judge(run: TrainingRun, endpoint: EndpointDescription | None, live: AnyRelease | None) -> Verdict:
    """Decide about the endpoint of a run that did not end well."""
    name = run.names.endpoint
    if endpoint is None:
        return Verdict(EndpointAction.LEAVE, "No model serves.")
    if endpoint.status in CHANGING:
        return Verdict(EndpointAction.WAIT, f"Endpoint {name} is {endpoint.status}.")
    if endpoint.endpoint_config != run.names.endpoint_config:
        return Verdict(
            EndpointAction.LEAVE,
            f"Endpoint {name} has configuration {endpoint.endpoint_config}, as before.",
        )
    if endpoint.status in FAILED:
        return Verdict(EndpointAction.REMOVE, f"Endpoint {name} failed and was removed.")
    if live is None:
        return Verdict(EndpointAction.KEEP, f"Endpoint {name} has this run's model, which is not published.")
    if live.run_id == run.run_id:
        return Verdict(EndpointAction.KEEP, f"Endpoint {name} serves this run's model, which is published.")
    return Verdict(
        EndpointAction.GO_BACK, f"Endpoint {name} goes back to configuration {live.endpoint_config}."
    )
