"""Environment of `validate_input`, and what its role must allow.

Permissions
-----------
- `states:ListExecutions` on the workload's state machine
- `s3:ListBucket` on `DATA_BUCKET` (prefixes `history/*`, `raw/*`)
- `s3:PutObject` on `DATA_BUCKET/runs/*`
- `ssm:GetParameter` on `parameter/watchkeeper/*/plan`
- `dynamodb:GetItem` on the series table
- `sagemaker:DescribeModel` on `model/watchkeeper-*`, `sagemaker:DescribeEndpoint` on `endpoint/watchkeeper-*`
- `sagemaker:DescribeModelPackage` on `model-package/watchkeeper-anomaly-service/*`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class ValidateInputEnvironment(TypedEnvironment):
    """What `validate_input` is told when it is deployed."""

    service: ClassVar[str] = "validate_input"

    data_bucket: str
    series_table: str
    service_models_arn: str
    """ARN of a model package of the anomaly service, without its version."""
