"""A plan must fit in its parameter."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
import pytest

from infra.constructs.plan_parameter import PlanParameter
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan


def plan_of(measures: int) -> WorkloadPlan:
    return WorkloadPlan(
        workload="wide",
        timestamp=TimestampPlan(field="at"),
        measures=tuple(MeasurePlan(name=f"m{each}", field=f"field {each}") for each in range(measures)),
        interval_seconds=60,
    )


def test_a_large_plan_takes_the_advanced_tier(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    PlanParameter(cdk.Stack(app, "Wide"), "Plan", plan=plan_of(100))
    (stack,) = app.synth().stacks
    (parameter,) = [
        each for each in stack.template["Resources"].values() if each["Type"] == "AWS::SSM::Parameter"
    ]
    assert parameter["Properties"]["Tier"] == "Advanced"


def test_a_plan_that_fits_no_parameter_is_refused_with_a_remedy() -> None:
    with pytest.raises(InvalidInputError, match=r"workload wide: its plan has \d+ bytes.*split it"):
        PlanParameter(cdk.Stack(), "Plan", plan=plan_of(1000))
