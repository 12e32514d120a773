"""Environment of `verify_deployment`, and what its role must allow.

Permissions
-----------
- `sagemaker:DescribeEndpoint` on `endpoint/watchkeeper-*`
- `sagemaker:DescribeEndpointConfig` on `endpoint-config/watchkeeper-*`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class VerifyDeploymentEnvironment(TypedEnvironment):
    """What `verify_deployment` is told when it is deployed."""

    service: ClassVar[str] = "verify_deployment"
