"""A workload's plan where the running parts read it, and its file's text where people do."""

from __future__ import annotations

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from lambdas.adapters.spec_store import ADVANCED_BYTES, STANDARD_BYTES, packed_spec
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.kinds import AnyPlan


class PlanParameter(Construct):
    """The plan's JSON as a parameter; of the advanced tier where the standard tier is too small."""

    def __init__(self, scope: Construct, construct_id: str, *, plan: AnyPlan) -> None:
        super().__init__(scope, construct_id)
        document = plan.to_json()
        size = len(document.encode())
        if size > ADVANCED_BYTES:
            raise InvalidInputError(
                f"workload {plan.workload}: its plan has {size} bytes, a parameter holds {ADVANCED_BYTES}; "
                "watch fewer measures or columns, or split it into several workloads"
            )
        _parameter(
            self,
            layout.plan_parameter(plan.workload),
            f"Detection plan of workload {plan.workload}",
            document,
        )


class SpecParameter(Construct):
    """The text of a workload's file, which nothing that runs reads; none where it is too long for one."""

    def __init__(self, scope: Construct, construct_id: str, *, workload: str, text: str) -> None:
        super().__init__(scope, construct_id)
        kept = packed_spec(text)
        if kept is not None:
            _parameter(self, layout.spec_parameter(workload), f"Workload file of {workload}", kept)


def _parameter(scope: Construct, name: str, description: str, value: str) -> None:
    ssm.StringParameter(
        scope,
        "Parameter",
        parameter_name=name,
        description=description,
        string_value=value,
        tier=ssm.ParameterTier.ADVANCED
        if len(value.encode()) > STANDARD_BYTES
        else ssm.ParameterTier.STANDARD,
    )
