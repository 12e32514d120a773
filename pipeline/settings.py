"""Constants that are written into the definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.kinds import AnyPlan

if TYPE_CHECKING:
    from watchkeeper.spec import WorkloadSpec
    from watchkeeper.spec.deployment import Endpoint


@dataclass(frozen=True)
class InstanceHosting:
    """An endpoint on instances of its own."""

    instance_type: str
    instance_count: int


@dataclass(frozen=True)
class ServerlessHosting:
    """An endpoint that runs on demand. AWS offers it no data capture and no inference pipeline."""

    memory_mb: int
    max_concurrency: int


@dataclass(frozen=True)
class Rollout:
    """How traffic moves to a new model."""

    canary_percent: int | None
    """First part of the new fleet's capacity; None moves all traffic at once."""
    wait_seconds: int
    """How long the alarms watch before the next step, and again before the old fleet goes."""


@dataclass(frozen=True)
class Serving:
    """What answers requests with the model."""

    hosting: InstanceHosting | ServerlessHosting
    capture_percent: int
    rollout: Rollout


@dataclass(frozen=True)
class WorkflowSettings:
    """Constants of one workload's definition."""

    plan: AnyPlan
    region: str
    job_instance: str
    serving: Serving | None
    """None where nothing but the scoring loop asks the model."""

    @property
    def workload(self) -> str:
        """Name of the workload."""
        return self.plan.workload

    @property
    def endpoint(self) -> Serving:
        """How the workload's endpoint serves.

        Raises
        ------
        ContractViolationError
            If it has none.
        """
        if self.serving is None:
            raise ContractViolationError(f"workload {self.workload} has no endpoint")
        return self.serving

    @property
    def isolates_models(self) -> bool:
        """Whether models have no network: Serverless Inference takes none that is isolated from it."""
        return self.serving is None or isinstance(self.serving.hosting, InstanceHosting)

    @property
    def endpoint_instance(self) -> str:
        """Instance that an endpoint of the model can be made of."""
        if self.serving is not None and isinstance(self.serving.hosting, InstanceHosting):
            return self.serving.hosting.instance_type
        return self.job_instance


@dataclass(frozen=True)
class ServiceSettings:
    """Constants of the definitions of the anomaly service.

    Parameters
    ----------
    search_jobs
        Jobs that share the candidates of a search; each tries the same number of them, one after the other.
    search_concurrency
        How many of them run at once. A job takes minutes to start on AWS, and an account has a quota of
        instances.
    """

    region: str
    job_instance: str = "ml.m5.xlarge"
    search_jobs: int = 3
    search_concurrency: int = 3


def settings_of(spec: WorkloadSpec, region: str) -> WorkflowSettings:
    """Return the constants that a spec gives its workflow."""
    return WorkflowSettings(
        plan=spec.plan(),
        region=region,
        job_instance=spec.training.instance_type,
        serving=None if spec.endpoint is None else _serving(spec.endpoint),
    )


def _serving(endpoint: Endpoint) -> Serving:
    hosting: InstanceHosting | ServerlessHosting
    if endpoint.serverless is not None:
        hosting = ServerlessHosting(endpoint.serverless.memory_mb, endpoint.serverless.max_concurrency)
    else:
        hosting = InstanceHosting(endpoint.instance_type, endpoint.instance_count)
    rollout = endpoint.rollout
    return Serving(
        hosting=hosting,
        capture_percent=endpoint.capture_percent,
        rollout=Rollout(
            canary_percent=rollout.canary_percent if rollout.traffic == "canary" else None,
            wait_seconds=int(rollout.wait.total_seconds()),
        ),
    )
