"""What each route asks of its request: who calls, and the workload, if the caller may see it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from lambdas.console.effects import ConsoleEffects
from lambdas.console.environment import ConsoleApiEnvironment
from lambdas.http.problems import ServiceProblemError
from lambdas.http.roles import Caller, caller_of
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.kinds import AnyPlan, anomaly_plan

WORKLOAD_NOT_FOUND = "workload_not_found"

WorkloadName = Annotated[
    str, Path(alias="workload", min_length=1, max_length=64, description="Name of a workload.")
]
Limit = Annotated[int, Query(ge=1, le=200)]
CursorParameter = Annotated[
    str | None, Query(alias="cursor", min_length=1, max_length=4096, description="`next` of the part before.")
]


@functools.cache
def effects() -> ConsoleEffects:
    """Return the effects of this process."""
    try:
        environment = ConsoleApiEnvironment.from_environ()
    except InvalidInputError as error:  # the deployment's fault, not the caller's
        raise ContractViolationError(str(error)) from error
    return ConsoleEffects.in_aws(environment)


@dataclass(frozen=True)
class Asked:
    """A request."""

    caller: Caller
    effects: ConsoleEffects

    def readable(self) -> dict[str, AnyPlan]:
        """Return the plans that the caller may see, by workload."""
        return {
            name: plan
            for name, plan in self.effects.plans().items()
            if self.caller.reads(getattr(plan, "readers", ()))
        }

    def plan(self, workload: str) -> AnyPlan:
        """Return the plan of a workload.

        Raises
        ------
        ServiceProblemError
            If the caller may not see it (`forbidden`), or there is none and the caller may see all.
        """
        name = unquote(workload)
        plan = self.effects.plans().get(name)
        self.caller.let_read(getattr(plan, "readers", ()), name)
        if plan is None:
            raise ServiceProblemError(WORKLOAD_NOT_FOUND, f"there is no workload {name!r}")
        return plan

    def anomaly_plan(self, workload: str) -> WorkloadPlan:
        """Return the plan of a workload that watches telemetry; see `plan`."""
        return anomaly_plan(self.plan(workload))


def new_router() -> APIGatewayHttpRouter:
    """Return a router of no routes."""
    return APIGatewayHttpRouter()  # type: ignore[no-untyped-call]


def asked(router: APIGatewayHttpRouter) -> Asked:
    """Return the request that a route answers."""
    event: dict[str, Any] = router.current_event.raw_event
    return Asked(caller_of(event), effects())
