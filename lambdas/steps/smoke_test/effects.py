"""What `smoke_test` reads and calls."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.endpoint import Endpoint, SageMakerEndpoint
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore


@dataclass(frozen=True)
class SmokeTestEffects:
    """Everything outside of `smoke_test`."""

    objects: ObjectStore
    endpoint: Endpoint

    @classmethod
    def in_aws(cls) -> SmokeTestEffects:
        """Return the effects in AWS."""
        return cls(
            objects=S3ObjectStore(aws_clients.s3()),
            endpoint=SageMakerEndpoint(aws_clients.sagemaker_runtime()),
        )
