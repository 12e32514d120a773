"""What `clean_up` looks at and removes."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.sagemaker_resources import SageMakerControlPlane, SageMakerResources
from lambdas.steps.clean_up.environment import CleanUpEnvironment


@dataclass(frozen=True)
class CleanUpEffects:
    """Everything outside of `clean_up`."""

    releases: ReleaseStore
    resources: SageMakerResources

    @classmethod
    def in_aws(cls, environment: CleanUpEnvironment) -> CleanUpEffects:
        """Return the effects in AWS."""
        return cls(
            releases=TableReleaseStore(aws_clients.dynamodb(), environment.series_table),
            resources=SageMakerControlPlane(aws_clients.sagemaker()),
        )
