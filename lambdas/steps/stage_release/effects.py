"""What `stage_release` reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.steps.stage_release.environment import StageReleaseEnvironment


@dataclass(frozen=True)
class StagingEffects:
    """Everything outside of `stage_release`."""

    objects: ObjectStore
    releases: ReleaseStore
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)

    @classmethod
    def in_aws(cls, environment: StageReleaseEnvironment) -> StagingEffects:
        """Return the effects in AWS."""
        return cls(
            objects=S3ObjectStore(aws_clients.s3()),
            releases=TableReleaseStore(aws_clients.dynamodb(), environment.series_table),
        )
