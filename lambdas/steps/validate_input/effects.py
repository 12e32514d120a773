"""What `validate_input` reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timezone
from typing import TYPE_CHECKING, Protocol

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.errors import translated
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore
from lambdas.adapters.plan_store import ParameterPlanStore, PlanStore
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.sagemaker_resources import SageMakerControlPlane, SageMakerResources
from lambdas.steps.validate_input.environment import ValidateInputEnvironment
from lambdas.steps.validate_input.execution_input import RunningExecution
from lambdas.steps.validate_input.registered_models import RegisteredModels, SageMakerRegisteredModels

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class Executions(Protocol):
    """Executions of a state machine."""

    def running(self, state_machine_arn: str) -> list[RunningExecution]:
        """Return those that have not ended."""


@dataclass(frozen=True)
class StepFunctionsExecutions:
    """`Executions` in Step Functions."""

    client: SFNClient

    def running(self, state_machine_arn: str) -> list[RunningExecution]:
        """Return those that have not ended."""
        with translated(f"list executions of {state_machine_arn}"):
            pages = self.client.get_paginator("list_executions").paginate(
                stateMachineArn=state_machine_arn, statusFilter="RUNNING"
            )
            return [
                RunningExecution(found["startDate"].astimezone(timezone.utc), found["executionArn"])
                for page in pages
                for found in page["executions"]
            ]


@dataclass(frozen=True)
class ValidationEffects:
    """Everything outside of `validate_input`."""

    bucket: str
    executions: Executions
    objects: ObjectStore
    plans: PlanStore
    registered: RegisteredModels
    releases: ReleaseStore
    resources: SageMakerResources

    @classmethod
    def in_aws(cls, environment: ValidateInputEnvironment) -> ValidationEffects:
        """Return the effects in AWS."""
        return cls(
            bucket=environment.data_bucket,
            executions=StepFunctionsExecutions(aws_clients.stepfunctions()),
            objects=S3ObjectStore(aws_clients.s3()),
            plans=ParameterPlanStore(aws_clients.ssm()),
            registered=SageMakerRegisteredModels(aws_clients.sagemaker(), environment.service_models_arn),
            releases=TableReleaseStore(aws_clients.dynamodb(), environment.series_table),
            resources=SageMakerControlPlane(aws_clients.sagemaker()),
        )
