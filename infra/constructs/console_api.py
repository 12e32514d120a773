"""The function behind the console, and what it may do: read what is watched, and what people do about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alerting import AlertingStack
from infra.constructs.python_function import PythonFunction
from infra.permissions import (
    CERTIFICATES_REASON,
    DEVICES_REASON,
    WORKLOAD_REASON,
    Permission,
    list_keys,
    of_workloads,
    permit,
    read_encrypted_objects,
    read_objects,
    read_parameter,
    use_key,
    use_table,
    write_encrypted_objects,
    write_objects,
)
from infra.storage import StorageStack
from lambdas.adapters.incident_store import BY_ID
from lambdas.console.access import PREFIX
from lambdas.console.environment import NO_FLEET, ConsoleApiEnvironment
from watchkeeper.core import layout

MEMORY_MB = 1769
"""At this size Lambda gives a whole processor."""

COSTS_REASON = "What the month costs is asked of all of the project's stacks, also of later workloads."

__all__ = ["PREFIX", "ConsoleApi"]


class ConsoleApi(Construct):
    """`console_api` with its role.

    Parameters
    ----------
    code
        Its bundle.
    alerting
        With the bus, the topic whose routes are tested, and the key of alerts' links.
    read_scores
        Reads the scores of workloads.
    has_fleet
        Whether devices are shown, and quarantined.
    backtests
        Queue of `run_backtest`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        storage: StorageStack,
        alerting: AlertingStack,
        read_scores: lambda_.IFunction,
        has_fleet: bool,
        backtests: sqs.IQueue,
        timeout_seconds: int,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        incidents, series, anomalies = storage.incidents, storage.series, storage.anomalies
        topic_arn, undelivered_arn = alerting.alerts.topic.topic_arn, alerting.undelivered.queue_arn

        def of_states(resource: str, name: str) -> str:
            form = ArnFormat.COLON_RESOURCE_NAME
            return stack.format_arn(service="states", resource=resource, resource_name=name, arn_format=form)

        def of_stacks(service: str, resource: str, rest: str, form: ArnFormat) -> str:
            name = f"{layout.STACK_PREFIX}{rest}"
            return stack.format_arn(service=service, resource=resource, resource_name=name, arn_format=form)

        trainings = layout.state_machine_name("*", "training")
        made = PythonFunction(
            self,
            "Api",
            code=code,
            environment=ConsoleApiEnvironment(
                data_bucket=storage.bucket.bucket_name,
                page_bucket=storage.pages.bucket_name,
                series_table=series.table_name,
                anomalies_table=anomalies.table_name,
                incidents_table=incidents.table_name,
                idempotency_table=storage.idempotency.table_name,
                alert_bus=alerting.bus.event_bus_name,
                alert_topic_arn=topic_arn,
                undelivered_alerts_arn=undelivered_arn,
                read_scores_function=read_scores.function_name,
                devices_table=storage.devices.table_name if has_fleet else NO_FLEET,
                backtest_queue_url=backtests.queue_url,
                link_key=alerting.link_key_arn,
                state_machines=stack.format_arn(
                    service="states", resource="stateMachine", arn_format=ArnFormat.NO_RESOURCE_NAME
                ),
                model_packages=stack.format_arn(
                    service="sagemaker", resource="model-package", arn_format=ArnFormat.NO_RESOURCE_NAME
                ),
            ),
            purpose="Answers the console's HTTP requests",
            memory_mb=MEMORY_MB,
            timeout_seconds=timeout_seconds,
        )
        self.function = made.function
        permit(
            made.role,
            read_objects(self, storage.pages, f"{layout.PAGES}/*"),
            list_keys(storage.pages, f"{layout.PAGES}/"),
            read_objects(self, storage.bucket, f"{layout.RUNS}/*", f"{layout.BACKTESTS}/*"),
            list_keys(storage.bucket, f"{layout.RUNS}/", f"{layout.BACKTESTS}/"),
            read_encrypted_objects(storage.key),
            write_objects(self, storage.bucket, f"{layout.BACKTESTS}/*"),
            write_encrypted_objects(storage.key),
            Permission(actions=["sqs:SendMessage"], resources=[backtests.queue_arn]),
            use_table(incidents, "GetItem", "Query", "PutItem", "DeleteItem"),
            Permission(actions=["dynamodb:Query"], resources=[f"{incidents.table_arn}/index/{BY_ID}"]),
            use_table(series, "GetItem", "Query", "PutItem", "UpdateItem"),
            use_table(anomalies, "Query"),
            use_key(storage.key, "dynamodb"),
            Permission(
                actions=["ssm:GetParametersByPath"],  # by the path of all plans: no name of one
                resources=[
                    stack.format_arn(service="ssm", resource="parameter", resource_name=layout.PREFIX)
                ],
            ),
            read_parameter(self, layout.LIVE_PARAMETER),
            Permission(actions=["secretsmanager:GetSecretValue"], resources=[alerting.link_key_arn]),
            read_parameter(self, layout.spec_parameter("*"), WORKLOAD_REASON),
            Permission(
                actions=["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"],
                resources=["*"],
                reason="Metrics have no resource to name, and which alarms are on is asked of all of them.",
            ),
            Permission(
                actions=["cloudformation:ListStacks"],
                resources=["*"],
                reason="AWS has no resource for a list of stacks to name.",
            ),
            Permission(
                actions=["cloudformation:ListStackResources"],
                resources=[of_stacks("cloudformation", "stack", "*/*", ArnFormat.SLASH_RESOURCE_NAME)],
                reason=COSTS_REASON,
            ),
            Permission(
                actions=["lambda:GetFunctionConfiguration"],
                resources=[of_stacks("lambda", "function", "*", ArnFormat.COLON_RESOURCE_NAME)],
                reason=COSTS_REASON,
            ),
            Permission(actions=["lambda:InvokeFunction"], resources=[read_scores.function_arn]),
            Permission(
                actions=["states:ListExecutions", "states:StartExecution"],
                resources=[of_states("stateMachine", trainings)],
                reason=WORKLOAD_REASON,
            ),
            Permission(
                actions=[
                    "states:DescribeExecution",
                    "states:DescribeStateMachineForExecution",
                    "states:GetExecutionHistory",
                ],
                resources=[of_states("execution", f"{trainings}:*")],
                reason=WORKLOAD_REASON,
            ),
            # as of the service's API: of the group, and of its versions
            *of_workloads(self, "model-package-group", "ListModelPackages"),
            *of_workloads(
                self, "model-package", "ListModelPackages", "DescribeModelPackage", "UpdateModelPackage"
            ),
            Permission(actions=["events:PutEvents"], resources=[alerting.bus.event_bus_arn]),
            use_table(storage.idempotency, "GetItem"),
            Permission(actions=["sns:ListSubscriptionsByTopic"], resources=[topic_arn]),
            Permission(
                actions=["sns:GetSubscriptionAttributes"],
                resources=["*"],
                reason="AWS has no resource for a subscription to name.",
            ),
            Permission(
                actions=["sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:DeleteMessage"],
                resources=[undelivered_arn],
            ),
        )
        if has_fleet:
            permit(made.role, *_of_the_fleet(stack, storage))


def _of_the_fleet(stack: Stack, storage: StorageStack) -> Iterator[Permission]:
    """Show devices, quarantine and restore them, as `watchkeeper devices` does."""

    def named(kind: str, name: str) -> str:
        return stack.format_arn(service="iot", resource=kind, resource_name=name)

    devices, quarantine = (named("thinggroup", name) for name in (layout.DEVICES, layout.QUARANTINED))
    things = named("thing", layout.thing_name("*"))
    moved = ("iot:AddThingToThingGroup", "iot:RemoveThingFromThingGroup")
    yield use_table(storage.devices, "GetItem", "Scan")
    yield Permission(actions=["iot:ListThingsInThingGroup"], resources=[devices, quarantine])
    yield Permission(
        actions=[
            "iot:DescribeThing",
            "iot:ListThingGroupsForThing",
            "iot:ListThingPrincipals",
            *moved,
        ],
        resources=[things],
        reason=DEVICES_REASON,
    )
    yield Permission(actions=["iot:AttachPolicy", "iot:DescribeThingGroup", *moved], resources=[quarantine])
    yield Permission(
        actions=["iot:DescribeCertificate"], resources=[named("cert", "*")], reason=CERTIFICATES_REASON
    )
    yield Permission(
        actions=["iot:DeleteConnection"],
        resources=[named("client", layout.thing_name("*"))],
        reason=DEVICES_REASON,
    )
