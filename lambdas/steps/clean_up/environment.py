"""Environment of `clean_up`, and what its role must allow.

Permissions
-----------
- `dynamodb:GetItem`, `DeleteItem` on the series table
- `sagemaker:DescribeEndpoint`, `DeleteEndpoint`, `UpdateEndpoint` on `endpoint/watchkeeper-*`
- `sagemaker:DescribeEndpointConfig`, `DeleteEndpointConfig`, `UpdateEndpoint` on
  `endpoint-config/watchkeeper-*`
- `sagemaker:DescribeModel`, `DeleteModel` on `model/watchkeeper-*`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class CleanUpEnvironment(TypedEnvironment):
    """What `clean_up` is told when it is deployed."""

    service: ClassVar[str] = "clean_up"

    series_table: str
