"""Environment of `console_api`, and what its role must allow.

Permissions
-----------
- `ssm:GetParametersByPath` of `/watchkeeper`, and `GetParameter` of `/watchkeeper/live` and of the
  workloads' files
- `s3:ListBucket`, `GetObject` on the bucket of pages; on the data bucket, of runs
- `dynamodb:GetItem`, `Query`, `PutItem`, `DeleteItem` on the table of incidents; `Query` on its index
- `dynamodb:GetItem`, `Query`, `PutItem`, `UpdateItem` on the series table, which has releases and
  where feedback has moved thresholds
- `dynamodb:Query` on the table of anomalies
- `cloudwatch:DescribeAlarms`, `ListMetrics`, `GetMetricData`, which have no resource that could be named
- of devices, where there is a fleet: `dynamodb:Scan`, `GetItem` on the list; `iot:ListThingsInThingGroup` of
  its two groups; `DescribeThing`, `ListThingGroupsForThing`, `ListThingPrincipals` on the devices' things,
  `DescribeCertificate`; as of `quarantine_device`, `DescribeThingGroup`, `AttachPolicy`,
  `AddThingToThingGroup` and `RemoveThingFromThingGroup` of the quarantine, `DeleteConnection`
- of costs: `cloudformation:ListStacks`, which has no resource that could be named, `ListStackResources` on
  the project's stacks; `lambda:GetFunctionConfiguration` on their functions
- `lambda:InvokeFunction` of `read_scores`
- of backtests: `s3:ListBucket`, `GetObject`, `PutObject` under `backtests/`; `sqs:SendMessage` to the queue
  of `run_backtest`
- `states:ListExecutions`, `StartExecution` on the training workflows; `DescribeExecution`,
  `DescribeStateMachineForExecution`, `GetExecutionHistory` on their executions
- `sagemaker:ListModelPackages` on the workloads' model package groups; `DescribeModelPackage`,
  `UpdateModelPackage` on their versions
- `events:PutEvents` on the alert bus
- `secretsmanager:GetSecretValue` on the key of alerts' links
- of tests of routes: `dynamodb:GetItem` on the idempotency table; `sns:ListSubscriptionsByTopic` on the
  alert topic, and `sns:GetSubscriptionAttributes`, which has no resource that could be named;
  `sqs:GetQueueUrl`, `ReceiveMessage`, `DeleteMessage` on the queue of undelivered alerts
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the key of buckets and tables
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lambdas.runtime.typed_environment import TypedEnvironment

NO_FLEET = "none"
"""Where no fleet is deployed."""


@dataclass(frozen=True, kw_only=True)
class ConsoleApiEnvironment(TypedEnvironment):
    """What `console_api` is told when it is deployed."""

    service: ClassVar[str] = "console_api"

    data_bucket: str
    page_bucket: str
    series_table: str
    anomalies_table: str
    incidents_table: str
    idempotency_table: str
    alert_bus: str
    alert_topic_arn: str
    undelivered_alerts_arn: str
    read_scores_function: str
    devices_table: str
    """Of those that may join the fleet; `NO_FLEET` where none is deployed."""
    backtest_queue_url: str
    link_key: str
    """ARN of the secret with the key that signs links of alerts."""
    state_machines: str
    """ARN of a state machine without its name."""
    model_packages: str
    """ARN of a version of a model package group without the group's name and the number."""
