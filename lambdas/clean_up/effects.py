"""What `clean_up` looks at and removes."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas import aws_clients
from lambdas.clean_up.environment import CleanUpEnvironment
from lambdas.release_store import ReleaseStore, TableReleaseStore
from lambdas.sagemaker_resources import SageMakerControlPlane, SageMakerResources


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
