"""Environment of `smoke_test`, and what its role must allow.

Permissions
-----------
- `s3:GetObject` on `DATA_BUCKET/runs/*`; `s3:ListBucket` on `DATA_BUCKET`
- `sagemaker:InvokeEndpoint` on `endpoint/watchkeeper-*`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class SmokeTestEnvironment(TypedEnvironment):
    """What `smoke_test` is told when it is deployed."""

    service: ClassVar[str] = "smoke_test"
