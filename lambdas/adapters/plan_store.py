"""Workloads' plans from their parameters."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from lambdas.adapters.errors import translated, unless
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import AlertPlan, WorkloadPlan
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.kinds import AnyPlan, anomaly_plan, digest_of, fraud_plan, plan_from_json, readers_in

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

CACHE_SECONDS = 60.0


class AnomalyPlans(Protocol):
    """Plans of workloads that watch telemetry."""

    def plan_of(self, workload: str) -> WorkloadPlan:
        """Return the plan of a workload.

        Raises
        ------
        InvalidInputError
            If there is no such workload, or it is of another kind.
        """


@dataclass(frozen=True)
class GivenPlans:
    """`AnomalyPlans` that are known already."""

    plans: Mapping[str, AnyPlan]

    def plan_of(self, workload: str) -> WorkloadPlan:
        if workload not in self.plans:
            raise InvalidInputError(f"workload {workload!r} is not deployed")
        return anomaly_plan(self.plans[workload])


class PlanStore(AnomalyPlans, Protocol):
    """Plans by workload."""

    def fraud_plan_of(self, workload: str) -> FraudPlan:
        """Return the plan of a workload that scores transactions; errors are those of `plan_of`."""

    def any_plan_of(self, workload: str) -> AnyPlan:
        """Return the plan of a workload of any kind; errors are those of `plan_of`."""

    def alerts_of(self, workload: str) -> AlertPlan:
        """Return where alerts of a workload go, of a kind that has alerts; errors are those of `plan_of`."""

    def timezone_of(self, workload: str) -> str:
        """Return the zone of such a workload's source, an IANA name: people read times in it."""

    def readers_of(self, workload: str) -> tuple[str, ...]:
        """Return the tenants that may see a workload of any kind; none where nobody is named.

        Raises
        ------
        InvalidInputError
            If there is no such workload.
        """

    def deployed_plan_of(self, workload: str, digest: str) -> AnyPlan:
        """Return the very plan, of any kind, that the caller was built for.

        Parameters
        ----------
        digest
            `watchkeeper.kinds.digest_of` that plan.

        Raises
        ------
        InvalidInputError
            If there is no such workload, or its plan is another one.
        """


def deployed_plans(client: SSMClient) -> dict[str, AnyPlan]:
    """Return the plans of all deployed workloads by name, in alphabetical order."""
    with translated("list the plans of workloads"):
        pages = client.get_paginator("get_parameters_by_path").paginate(
            Path=f"/{layout.PREFIX}", Recursive=True
        )
        plans = [
            plan_from_json(parameter["Value"])
            for page in pages
            for parameter in page["Parameters"]
            if parameter["Name"].endswith("/plan")
        ]
    return {plan.workload: plan for plan in sorted(plans, key=lambda plan: plan.workload)}


def parameter_text(client: SSMClient, name: str) -> str | None:
    """Return what a parameter holds; None if there is none."""
    found = unless(("ParameterNotFound",), f"read parameter {name}", lambda: client.get_parameter(Name=name))
    return None if found is None else found["Parameter"]["Value"]


@dataclass
class ParameterPlanStore:
    """`PlanStore` in Systems Manager; a changed plan takes effect within `CACHE_SECONDS`."""

    client: SSMClient
    clock: Callable[[], float] = time.monotonic
    _cache: dict[str, tuple[float, AnyPlan]] = field(default_factory=dict)

    def plan_of(self, workload: str) -> WorkloadPlan:
        return anomaly_plan(self._remembered(workload))

    def fraud_plan_of(self, workload: str) -> FraudPlan:
        return fraud_plan(self._remembered(workload))

    def deployed_plan_of(self, workload: str, digest: str) -> AnyPlan:
        plan = self._read(workload)
        if digest_of(plan) != digest:
            raise InvalidInputError(
                f"workload {workload!r}: parameter {layout.plan_parameter(workload)} has the plan "
                f"{digest_of(plan)}, this definition was made for {digest}: a deployment changes it, or "
                "ended half way; start again when `watchkeeper deploy` has ended"
            )
        return plan

    def any_plan_of(self, workload: str) -> AnyPlan:
        return self._remembered(workload)

    def alerts_of(self, workload: str) -> AlertPlan:
        plan = self._remembered(workload)
        return plan.alerts if isinstance(plan, FraudPlan) else anomaly_plan(plan).alerts

    def timezone_of(self, workload: str) -> str:
        plan = self._remembered(workload)
        return (plan if isinstance(plan, FraudPlan) else anomaly_plan(plan)).timestamp.timezone

    def readers_of(self, workload: str) -> tuple[str, ...]:
        return readers_in(self._remembered(workload))

    def _remembered(self, workload: str) -> AnyPlan:
        read_at, plan = self._cache.get(workload, (float("-inf"), None))
        if plan is None or self.clock() - read_at >= CACHE_SECONDS:
            plan = self._read(workload)
            self._cache[workload] = (self.clock(), plan)
        return plan

    def _read(self, workload: str) -> AnyPlan:
        name = layout.plan_parameter(workload)
        text = parameter_text(self.client, name)
        if text is None:
            raise InvalidInputError(
                f"workload {workload!r} is not deployed: parameter {name} does not exist; "
                f"add workloads/{workload}.yaml and deploy"
            )
        return plan_from_json(text)
