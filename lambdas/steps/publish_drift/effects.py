"""What `publish_drift` reads."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore


@dataclass(frozen=True)
class PublishDriftEffects:
    """Everything outside of `publish_drift`."""

    objects: ObjectStore

    @classmethod
    def in_aws(cls) -> PublishDriftEffects:
        """Return the effects in AWS."""
        return cls(S3ObjectStore(aws_clients.s3()))
