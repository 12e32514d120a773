"""Environment of `service_api`, and what its role must allow.

Permissions
-----------
- `s3:GetObject` and `s3:PutObject` on `tenants/*`; `s3:ListBucket` there, so that a missing file is a 404
- `dynamodb:GetItem`, `PutItem`, `UpdateItem`, `Query` on the requests table and its index
- `states:StartExecution` on the three state machines
- `sagemaker:ListModelPackages`, `sagemaker:DescribeModelPackage` of the workloads' package groups
- `lambda:InvokeFunction` on `read_scores`; `ssm:GetParameter` on `parameter/watchkeeper/*/plan`, for readers
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the keys of the bucket and the table
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment
from watchkeeper.service.tasks import Task


@dataclass(frozen=True, kw_only=True)
class ServiceApiEnvironment(TypedEnvironment):
    """What `service_api` is told when it is deployed."""

    service: ClassVar[str] = "service_api"

    data_bucket: str
    requests_table: str
    train_state_machine_arn: str
    valid_state_machine_arn: str
    infer_state_machine_arn: str
    most_open_tasks: str
    """A whole number, as variables are: how many tasks of a tenant may be open at once."""
    read_scores_function: str

    def state_machine_arn(self, task: Task) -> str:
        """Return the state machine of a task."""
        return {
            Task.TRAIN: self.train_state_machine_arn,
            Task.VALID: self.valid_state_machine_arn,
            Task.INFER: self.infer_state_machine_arn,
        }[task]
