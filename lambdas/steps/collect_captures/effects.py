"""What `collect_captures` reads and writes."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.steps.collect_captures.environment import CollectCapturesEnvironment


@dataclass(frozen=True)
class CollectingEffects:
    """Everything outside of `collect_captures`."""

    bucket: str
    objects: ObjectStore
    releases: ReleaseStore

    @classmethod
    def in_aws(cls, environment: CollectCapturesEnvironment) -> CollectingEffects:
        """Return the effects in AWS."""
        return cls(
            bucket=environment.data_bucket,
            objects=S3ObjectStore(aws_clients.s3()),
            releases=TableReleaseStore(aws_clients.dynamodb(), environment.series_table),
        )
