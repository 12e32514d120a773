"""Constants that are written into the definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchkeeper.kinds import AnyPlan

if TYPE_CHECKING:
    from watchkeeper.spec import WorkloadSpec


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
class WorkflowSettings:
    """Constants of one workload's definition."""

    plan: AnyPlan
    region: str
    hosting: InstanceHosting | ServerlessHosting
    capture_percent: int
    rollout: Rollout
    job_instance: str

    @property
    def workload(self) -> str:
        """Name of the workload."""
        return self.plan.workload


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
    endpoint, rollout = spec.endpoint, spec.endpoint.rollout
    hosting: InstanceHosting | ServerlessHosting
    if endpoint.serverless is not None:
        hosting = ServerlessHosting(endpoint.serverless.memory_mb, endpoint.serverless.max_concurrency)
    else:
        hosting = InstanceHosting(endpoint.instance_type, endpoint.instance_count)
    return WorkflowSettings(
        plan=spec.plan(),
        region=region,
        hosting=hosting,
        capture_percent=endpoint.capture_percent,
        rollout=Rollout(
            canary_percent=rollout.canary_percent if rollout.traffic == "canary" else None,
            wait_seconds=int(rollout.wait.total_seconds()),
        ),
        job_instance=spec.training.instance_type,
    )
