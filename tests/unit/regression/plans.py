"""A plan that the tests here share."""

from __future__ import annotations

import dataclasses

from watchkeeper.regression.plan import ColumnPlan, RegressionPlan

PLAN = RegressionPlan(
    workload="press",
    target="wear",
    features=(ColumnPlan("force", "numeric"), ColumnPlan("line", "one_hot")),
)


def changed(**changes: object) -> RegressionPlan:
    return dataclasses.replace(PLAN, **changes)  # type: ignore[arg-type]
