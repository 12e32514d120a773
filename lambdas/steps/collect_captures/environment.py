"""Environment of `collect_captures`, and what its role must allow.

Permissions
-----------
- `dynamodb:GetItem` on the series table
- `s3:GetObject` on `DATA_BUCKET/captures/*` and on `plan.json` and `explain/config/analysis_config.json` of
  the runs of workloads that are watched
- `s3:PutObject` on `DATA_BUCKET/drift/*`; `s3:ListBucket` on `DATA_BUCKET`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class CollectCapturesEnvironment(TypedEnvironment):
    """What `collect_captures` is told when it is deployed."""

    service: ClassVar[str] = "collect_captures"

    data_bucket: str
    series_table: str
