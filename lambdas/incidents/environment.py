"""Environment of `group_anomalies`, and what its role must allow.

Permissions
-----------
- `dynamodb:GetItem`, `Query`, `PutItem`, `DeleteItem` on the incidents table (a transaction of puts needs no
  other), and the tables' key
- `dynamodb:GetItem` on the series table, where the live release is
- `events:PutEvents` on the alert bus
- `ssm:GetParameter` on `parameter/watchkeeper/*/plan`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the queue's consumer grants
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class GroupAnomaliesEnvironment(TypedEnvironment):
    """What `group_anomalies` is told when it is deployed."""

    service: ClassVar[str] = "group_anomalies"

    incidents_table: str
    series_table: str
    alert_bus: str
    """Name of the EventBridge bus."""
