"""A workload's plan where the running parts read it."""

from __future__ import annotations

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.kinds import AnyPlan

STANDARD_BYTES = 4096
ADVANCED_BYTES = 8192


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
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=layout.plan_parameter(plan.workload),
            description=f"Detection plan of workload {plan.workload}",
            string_value=document,
            tier=ssm.ParameterTier.ADVANCED if size > STANDARD_BYTES else ssm.ParameterTier.STANDARD,
        )
