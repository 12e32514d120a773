"""Environment of `summarize_explanation`, and what its role must allow.

Permissions
-----------
- `s3:GetObject` on `DATA_BUCKET/runs/*`; `s3:ListBucket` on `DATA_BUCKET`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the key of the bucket
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class SummarizeExplanationEnvironment(TypedEnvironment):
    """What `summarize_explanation` is told when it is deployed."""

    service: ClassVar[str] = "summarize_explanation"
