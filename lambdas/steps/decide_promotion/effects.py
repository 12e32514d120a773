"""What `decide_promotion` reads."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore


@dataclass(frozen=True)
class PromotionEffects:
    """Everything outside of `decide_promotion`."""

    objects: ObjectStore

    @classmethod
    def in_aws(cls) -> PromotionEffects:
        """Return the effects in AWS."""
        return cls(objects=S3ObjectStore(aws_clients.s3()))
