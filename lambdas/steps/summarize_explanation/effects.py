"""What `summarize_explanation` reads."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore


@dataclass(frozen=True)
class SummaryEffects:
    """Everything outside of `summarize_explanation`."""

    objects: ObjectStore

    @classmethod
    def in_aws(cls) -> SummaryEffects:
        """Return the effects in AWS."""
        return cls(objects=S3ObjectStore(aws_clients.s3()))
