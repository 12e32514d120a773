"""Environment of `decide_promotion`, and what its role must allow.

Permissions
-----------
- `s3:GetObject` on `DATA_BUCKET/runs/*`; `s3:ListBucket` on `DATA_BUCKET`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class DecidePromotionEnvironment(TypedEnvironment):
    """What `decide_promotion` is told when it is deployed."""

    service: ClassVar[str] = "decide_promotion"
