"""What of a workload's spec is written into its definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watchkeeper.errors import InvalidInputError
from watchkeeper.plan import WorkloadPlan

if TYPE_CHECKING:
    from workloads.spec import WorkloadSpec

DEFAULT_JOB_INSTANCE = "ml.m5.large"


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
class WorkflowSettings:
    """Constants of one workload's definition."""

    plan: WorkloadPlan
    region: str
    hosting: InstanceHosting | ServerlessHosting
    capture_percent: int
    job_instance: str = DEFAULT_JOB_INSTANCE

    @property
    def workload(self) -> str:
        """Name of the workload."""
        return self.plan.workload

    def validate(self) -> None:
        """Refuse what AWS would refuse only in the middle of a run.

        Raises
        ------
        InvalidInputError
            If the endpoint is serverless and the model is an inference pipeline.
        """
        if isinstance(self.hosting, ServerlessHosting) and self.plan.detector.algorithm == "rcf":
            raise InvalidInputError(
                f"workload {self.workload}: a serverless endpoint cannot serve the two containers that "
                "detector.algorithm 'rcf' needs; set endpoint.instance_type"
            )


def settings_of(spec: WorkloadSpec, region: str) -> WorkflowSettings:
    """Return the constants that a spec gives its workflow."""
    endpoint = spec.endpoint
    hosting: InstanceHosting | ServerlessHosting
    if endpoint.serverless is not None:
        hosting = ServerlessHosting(endpoint.serverless.memory_mb, endpoint.serverless.max_concurrency)
    else:
        hosting = InstanceHosting(endpoint.instance_type, endpoint.instance_count)
    return WorkflowSettings(
        plan=spec.plan(), region=region, hosting=hosting, capture_percent=endpoint.capture_percent
    )
