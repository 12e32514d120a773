"""What `publish_release` reads, writes and removes."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.sagemaker_resources import SageMakerControlPlane, SageMakerResources
from lambdas.steps.publish_release.environment import PublishReleaseEnvironment


@dataclass(frozen=True)
class PublishingEffects:
    """Everything outside of `publish_release`."""

    releases: ReleaseStore
    resources: SageMakerResources

    @classmethod
    def in_aws(cls, environment: PublishReleaseEnvironment) -> PublishingEffects:
        """Return the effects in AWS."""
        return cls(
            releases=TableReleaseStore(aws_clients.dynamodb(), environment.series_table),
            resources=SageMakerControlPlane(aws_clients.sagemaker()),
        )
