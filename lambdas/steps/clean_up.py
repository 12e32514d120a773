"""The workflow's one Catch: remove what the run half made, and say in words why it ended."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from aws_lambda_powertools import Logger

from lambdas.adapters import clients
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.sagemaker_resources import (
    EndpointDescription,
    SageMakerControlPlane,
    SageMakerResources,
)
from lambdas.runtime.notification import failure_text
from lambdas.runtime.workflow_payload import run_of
from lambdas.runtime.workflow_step import AwsCalls, StepEnvironment, step_handler
from watchkeeper.core.errors import UnavailableError
from watchkeeper.kinds import AnyRelease
from watchkeeper.lifecycle.release import Release
from watchkeeper.lifecycle.run import TrainingRun

FAILED = frozenset({"Failed", "OutOfService"})
CHANGING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


@dataclass(frozen=True, kw_only=True)
class CleanUpEnvironment(StepEnvironment):
    """What `clean_up` is told when it is deployed."""

    service: ClassVar[str] = "clean_up"
    purpose: ClassVar[str] = "Removes what a failed run made"
    calls: ClassVar[AwsCalls] = AwsCalls(
        series=("GetItem", "DeleteItem"),
        endpoints=("DescribeEndpoint", "DeleteEndpoint", "UpdateEndpoint"),
        endpoint_configs=("DescribeEndpointConfig", "DeleteEndpointConfig", "UpdateEndpoint"),
        models=("DescribeModel", "DeleteModel"),
        packages=("UpdateModelPackage",),
    )

    series_table: str


logger = Logger(service=CleanUpEnvironment.service)


@dataclass(frozen=True)
class CleanedUp:
    """The answer of `clean_up`: the error in readable words, and the names of what was removed."""

    reason: str
    removed: list[str]


@dataclass(frozen=True)
class CleanUpEffects:
    """Everything outside of `clean_up`."""

    releases: ReleaseStore
    resources: SageMakerResources

    @classmethod
    def in_aws(cls, environment: CleanUpEnvironment) -> CleanUpEffects:
        """Return the effects in AWS."""
        return cls(
            releases=TableReleaseStore(clients.dynamodb(), environment.series_table),
            resources=SageMakerControlPlane(clients.sagemaker()),
        )


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


def clean_up(payload: dict[str, Any], effects: CleanUpEffects) -> dict[str, Any]:
    """Remove what nothing needs of a run; what does not exist is no error.

    Raises
    ------
    UnavailableError
        If the endpoint is still changing.
    """
    error = payload.get("error") or {}
    if not payload.get("run"):
        return dataclasses.asdict(CleanedUp(failure_text(error, ""), []))
    run = run_of(payload)
    cleaned = _take_back(run, error, effects.releases.live(run.workload), effects)
    logger.info("cleaned up", extra={"run_id": run.run_id, "removed": cleaned.removed})
    return dataclasses.asdict(cleaned)


def _take_back(
    run: TrainingRun, error: dict[str, Any], live: AnyRelease | None, effects: CleanUpEffects
) -> CleanedUp:
    names, resources = run.names, effects.resources
    verdict = judge(run, resources.endpoint(names.endpoint), live)
    if verdict.action is EndpointAction.WAIT:
        raise UnavailableError(verdict.sentence)
    if verdict.action is EndpointAction.GO_BACK and live is not None:
        resources.update_endpoint(names.endpoint, live.endpoint_config)
    removals = [("model", names.preprocessor_model, resources.remove_model)]
    if verdict.action is EndpointAction.REMOVE:
        removals.append(("endpoint", names.endpoint, resources.remove_endpoint))
    if not verdict.run_is_needed:
        removals.append(("endpoint configuration", names.endpoint_config, resources.remove_endpoint_config))
        removals.append(("model", names.model, resources.remove_model))
    removed = [f"{kind} {name}" for kind, name, remove in removals if remove(name)]
    reason = failure_text(error, verdict.sentence)
    if (staged := effects.releases.of_run(run.workload, run.run_id)) is not None:
        published = live is not None and live.run_id == run.run_id
        resources.judge_package(staged.model_package_arn, approved=published, reason=reason)
        if not verdict.run_is_needed:
            effects.releases.remove(run.workload, run.run_id)
            removed.append(f"release of run {run.run_id}")
    return CleanedUp(reason, removed)


def judge(run: TrainingRun, endpoint: EndpointDescription | None, live: AnyRelease | None) -> Verdict:
    """Decide about the endpoint of a run that did not end well."""
    name = run.names.endpoint
    if endpoint is None:
        return _without_endpoint(run, live)
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


def _without_endpoint(run: TrainingRun, live: AnyRelease | None) -> Verdict:
    """Decide where the scoring loop asks nobody: what is published stays."""
    if isinstance(live, Release) and live.stream is not None:
        action = EndpointAction.KEEP if live.run_id == run.run_id else EndpointAction.LEAVE
        return Verdict(action, f"The scoring loop goes on with run {live.run_id}.")
    return Verdict(EndpointAction.LEAVE, "No model serves.")


handle = step_handler(clean_up, CleanUpEnvironment, CleanUpEffects.in_aws)
