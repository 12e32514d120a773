"""Environment of `write_explain_configuration`, and what its role must allow.

Permissions
-----------
- `s3:GetObject`, `s3:PutObject` on `DATA_BUCKET/runs/*`; `s3:ListBucket` on `DATA_BUCKET`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the key of the bucket
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class WriteExplainConfigurationEnvironment(TypedEnvironment):
    """What `write_explain_configuration` is told when it is deployed."""

    service: ClassVar[str] = "write_explain_configuration"
