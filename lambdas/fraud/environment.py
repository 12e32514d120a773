"""Environment of `fraud_api`, and what its role must allow.

Permissions
-----------
- `dynamodb:BatchGetItem`, `PutItem`, `UpdateItem`, `Query` on the table of graphs; `Query` on its index
- `dynamodb:GetItem`, `Query` on the series table, which has the releases
- `sagemaker:InvokeEndpoint` on the workloads' endpoints
- `ssm:GetParameter` on `parameter/watchkeeper/*/plan`
- `events:PutEvents` on the alert bus
- `states:StartExecution` on the simulator's machine
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the key of the tables
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class FraudApiEnvironment(TypedEnvironment):
    """What `fraud_api` is told when it is deployed."""

    service: ClassVar[str] = "fraud_api"

    transactions_table: str
    series_table: str
    alert_bus: str
    simulator_arn: str
