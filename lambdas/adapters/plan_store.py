"""Workloads' plans from their parameters."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from lambdas.adapters.errors import code_of, translated
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.kinds import AnyPlan, anomaly_plan, plan_from_json

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

CACHE_SECONDS = 60.0


class PlanStore(Protocol):
    """Plans by workload."""

    def plan_of(self, workload: str) -> WorkloadPlan:
        """Return the plan of a workload that watches telemetry.

        Raises
        ------
        InvalidInputError
            If there is no such workload, or it is of another kind.
        """

    def any_plan_of(self, workload: str) -> AnyPlan:
        """Return the plan of a workload of any kind.

        Raises
        ------
        InvalidInputError
            If there is no such workload.
        """


@dataclass
class ParameterPlanStore:
    """`PlanStore` in Systems Manager; a plan is read again after `CACHE_SECONDS`."""

    client: SSMClient
    clock: Callable[[], float] = time.monotonic
    _cache: dict[str, tuple[float, AnyPlan]] = field(default_factory=dict)

    def plan_of(self, workload: str) -> WorkloadPlan:
        """Return the plan of a workload that watches telemetry; see `PlanStore.plan_of`."""
        return anomaly_plan(self.any_plan_of(workload))

    def any_plan_of(self, workload: str) -> AnyPlan:
        """Return the workload's plan; see `PlanStore.any_plan_of`."""
        read_at, plan = self._cache.get(workload, (float("-inf"), None))
        if plan is not None and self.clock() - read_at < CACHE_SECONDS:
            return plan
        name = layout.plan_parameter(workload)
        with translated(f"read parameter {name}"):
            try:
                text = self.client.get_parameter(Name=name)["Parameter"]["Value"]
            except ClientError as error:
                if code_of(error) == "ParameterNotFound":
                    raise InvalidInputError(
                        f"workload {workload!r} is not deployed: parameter {name} does not exist; "
                        f"add workloads/{workload}.yaml and deploy"
                    ) from error
                raise
        plan = plan_from_json(text)
        self._cache[workload] = (self.clock(), plan)
        return plan
