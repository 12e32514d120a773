"""What `publish_release` reads, writes and removes."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas import aws_clients
from lambdas.publish_release.environment import PublishReleaseEnvironment
from lambdas.release_store import ReleaseStore, TableReleaseStore
from lambdas.sagemaker_resources import SageMakerControlPlane, SageMakerResources


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
