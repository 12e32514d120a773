"""Environment of `publish_alert`, and what its role must allow.

Permissions
-----------
- `sns:Publish` on the alert topic, and its key (`kms:Decrypt`, `kms:GenerateDataKey`)
- `dynamodb:GetItem`, `PutItem`, `UpdateItem`, `DeleteItem` on the idempotency table
- `dynamodb:GetItem`, `Query`, `PutItem` on the incidents table (`PutItem` in the partition of what waits for
  an answer), `Query` on its index
- `ssm:GetParameter` on `parameter/watchkeeper/*/plan`, and on `/watchkeeper/answers`
- `secretsmanager:GetSecretValue` on the key of links
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the queue's consumer grants
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class PublishAlertEnvironment(TypedEnvironment):
    """What `publish_alert` is told when it is deployed."""

    service: ClassVar[str] = "publish_alert"

    alert_topic_arn: str
    idempotency_table: str
    incidents_table: str
    dashboard_url: str
    """Digests have links into it."""
    link_key: str
    """ARN of the secret with the key that signs links."""
