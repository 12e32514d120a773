"""What `service_api` reads and changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

import boto3
from botocore.config import Config

from lambdas.adapters import clients
from lambdas.adapters.executions import StepFunctionsWorkflows, Workflows
from lambdas.adapters.plan_store import ParameterPlanStore, PlanStore
from lambdas.adapters.registered_models import ModelRegistry, SageMakerModelRegistry
from lambdas.adapters.score_reader import FunctionScoreReader, ScoreReader
from lambdas.service_api.environment import ServiceApiEnvironment
from lambdas.service_api.request_table import DynamoRequestTable
from lambdas.service_api.tenant_bucket import S3TenantBucket
from watchkeeper.service.tasks import Task


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class ServiceEffects:
    """Everything outside of `service_api`."""

    files: S3TenantBucket
    requests: DynamoRequestTable
    workflows: Workflows
    models: ModelRegistry
    plans: PlanStore
    scores: ScoreReader
    most_open_tasks: int
    """Of a tenant at once."""
    now: Callable[[], datetime] = _now

    @classmethod
    def in_aws(cls, environment: ServiceApiEnvironment) -> ServiceEffects:
        """Return the effects in AWS."""
        signer = boto3.client(
            "s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
        )
        return cls(
            files=S3TenantBucket(clients.s3(), signer, environment.data_bucket),
            requests=DynamoRequestTable(clients.dynamodb(), environment.requests_table),
            workflows=StepFunctionsWorkflows(
                clients.stepfunctions(), {task: environment.state_machine_arn(task) for task in Task}
            ),
            models=SageMakerModelRegistry(clients.sagemaker()),
            plans=ParameterPlanStore(clients.ssm()),
            scores=FunctionScoreReader(clients.functions(), environment.read_scores_function),
            most_open_tasks=int(environment.most_open_tasks),
        )
