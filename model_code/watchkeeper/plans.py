"""The plan of a workload of any kind, as it travels: JSON that says its kind.

A plan without `kind` is of an anomaly workload.
"""

from __future__ import annotations

import json

from watchkeeper.errors import ContractViolationError, InvalidInputError
from watchkeeper.plan import WorkloadPlan
from watchkeeper.regression.plan import REGRESSION, RegressionPlan

AnyPlan = WorkloadPlan | RegressionPlan


def plan_from_json(text: str | bytes) -> AnyPlan:
    """Read a plan of any kind.

    Raises
    ------
    ContractViolationError
        If its kind is unknown, or it is not of this release.
    """
    document = json.loads(text)
    kind = document.get("kind")
    if kind is None:
        return WorkloadPlan.from_dict(document)
    if kind == REGRESSION:
        return RegressionPlan.from_dict(document)
    raise ContractViolationError(f"plan of the unknown kind {kind!r}: deploy the stacks again")


def anomaly_plan(plan: AnyPlan) -> WorkloadPlan:
    """Return the plan of a workload that watches telemetry.

    Raises
    ------
    InvalidInputError
        If the workload is of another kind.
    """
    if isinstance(plan, WorkloadPlan):
        return plan
    raise InvalidInputError(
        f"workload {plan.workload!r} is of kind {plan.kind}: it takes no telemetry and raises no anomalies"
    )
