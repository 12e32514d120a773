"""Environment of `publish_release`, and what its role must allow.

Permissions
-----------
- `dynamodb:GetItem`, `PutItem`, `DeleteItem`, `Query` on the series table
- `sagemaker:DescribeModel`, `DeleteModel` on `model/watchkeeper-*`
- `sagemaker:DescribeEndpointConfig`, `DeleteEndpointConfig` on `endpoint-config/watchkeeper-*`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class PublishReleaseEnvironment(TypedEnvironment):
    """What `publish_release` is told when it is deployed."""

    service: ClassVar[str] = "publish_release"

    series_table: str
