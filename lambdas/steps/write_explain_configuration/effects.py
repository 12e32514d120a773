"""What `write_explain_configuration` reads and writes."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore


@dataclass(frozen=True)
class ConfigurationEffects:
    """Everything outside of `write_explain_configuration`."""

    objects: ObjectStore

    @classmethod
    def in_aws(cls) -> ConfigurationEffects:
        """Return the effects in AWS."""
        return cls(objects=S3ObjectStore(aws_clients.s3()))
