"""Environment of `stage_release`, and what its role must allow.

Permissions
-----------
- `s3:GetObject` on `DATA_BUCKET/runs/*`; `s3:ListBucket` on `DATA_BUCKET`
- `dynamodb:GetItem`, `PutItem` on the series table
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class StageReleaseEnvironment(TypedEnvironment):
    """What `stage_release` is told when it is deployed."""

    service: ClassVar[str] = "stage_release"

    series_table: str
