"""What `collect_captures` reads and writes."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas import aws_clients
from lambdas.collect_captures.environment import CollectCapturesEnvironment
from lambdas.object_store import ObjectStore, S3ObjectStore
from lambdas.release_store import ReleaseStore, TableReleaseStore


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
