"""Environment of `close_task`, and what its role must allow.

Permissions
-----------
- `dynamodb:UpdateItem` on the requests table
- `states:DescribeExecution` on the executions of the three state machines
- `sqs:ReceiveMessage`, `sqs:DeleteMessage`, `sqs:ChangeMessageVisibility`, … on its queue
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the key of the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class CloseTaskEnvironment(TypedEnvironment):
    """What `close_task` is told when it is deployed."""

    service: ClassVar[str] = "close_task"

    requests_table: str
