"""Environment of `clean_up`, and what its role must allow.

Permissions
-----------
- `dynamodb:GetItem`, `DeleteItem` on the series table
- `sagemaker:DescribeEndpoint`, `sagemaker:DeleteEndpoint` on `endpoint/watchkeeper-*`
- `sagemaker:DeleteEndpointConfig` on `endpoint-config/watchkeeper-*`
- `sagemaker:DeleteModel` on `model/watchkeeper-*`
- `sagemaker:StopTrainingJob`, `StopProcessingJob`, `StopTransformJob` on `training-job/`, `processing-job/`,
  `transform-job/watchkeeper-*`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class CleanUpEnvironment(TypedEnvironment):
    """What `clean_up` is told when it is deployed."""

    service: ClassVar[str] = "clean_up"

    series_table: str
