"""Environment of `score_telemetry`, and what its role must allow.

Permissions
-----------
- `s3:GetObject`, `s3:GetObjectVersion` on `DATA_BUCKET/raw/*`
- `s3:GetObject`, `s3:PutObject` on `DATA_BUCKET/scores/*`; `s3:PutObject` on `DATA_BUCKET/quarantine/*`
- `s3:GetObject` on `DATA_BUCKET/runs/WORKLOAD/*/evaluation/surrogate.bin`
- `s3:ListBucket` on `DATA_BUCKET` (without it an absent key answers 403, which reads as a lack of permission)
- `s3:GetObject`, `s3:PutObject` on `PAGE_BUCKET/pages/*`, `s3:ListBucket` on `PAGE_BUCKET`
- `dynamodb:BatchGetItem`, `Query` on the series table
- `dynamodb:BatchWriteItem` on the anomalies table
- `dynamodb:GetItem`, `PutItem`, `UpdateItem`, `DeleteItem` on the idempotency table
- `sagemaker:InvokeEndpoint` on `endpoint/watchkeeper-*` (one for each workload: `layout.endpoint_name`)
- `events:PutEvents` on the alert bus
- `ssm:GetParameter` on `parameter/watchkeeper/*/plan`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the tables (`kms:Decrypt`,
  `kms:GenerateDataKey`); the queue's consumer grants
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment

LATE_MILLISECONDS = 300_000
"""A record waits a minute in the delivery stream's buffer; five minutes mean that scoring falls behind."""


@dataclass(frozen=True, kw_only=True)
class ScoreTelemetryEnvironment(TypedEnvironment):
    """What `score_telemetry` is told when it is deployed."""

    service: ClassVar[str] = "score_telemetry"

    data_bucket: str
    page_bucket: str
    series_table: str
    anomalies_table: str
    idempotency_table: str
    alert_bus: str
    """Name of the EventBridge bus."""
