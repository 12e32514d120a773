"""From an anomaly event to whoever must know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.alert_topic import AlertTopic
from infra.constructs.event_subscription import EventSubscription, RouteSubscription
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import DeadLetterQueue, WorkQueue
from infra.naming import WORKLOAD_TAG, pascal_name
from infra.permissions import permit, read_plans, use_key, use_table
from lambdas.alerting.environment import PublishAlertEnvironment
from watchkeeper.spec import AnomalyWorkload, Subscription

TIMEOUT_SECONDS = 30
OUTCOMES = ("deployed", "rejected", "failed")
"""How the training workflow says that a run ended: `pipeline.endings`."""
CONCURRENCY = 2


class AlertingStack(Stack):
    """The alert bus, the function that decides who is told, and the topic that tells them.

    Parameters
    ----------
    told_of_trainings
        By workload, who is told how its trainings end.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workloads: Sequence[AnomalyWorkload],
        told_of_trainings: Mapping[str, Sequence[Subscription]],
        function_code: Path,
        idempotency: dynamodb.ITable,
        data_key: kms.IKey,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        self.alerts = AlertTopic(self, "Alerts")
        self.bus: events.IEventBus = events.EventBus(
            self, "Bus", description="Anomalies that Watchkeeper found"
        )
        self.work = WorkQueue(self, "Work", handled_within_seconds=TIMEOUT_SECONDS)
        EventSubscription(
            self,
            "Anomalies",
            bus=self.bus,
            pattern=events.EventPattern(source=["watchkeeper"], detail_type=["Anomaly Detected"]),
            work=self.work,
            purpose="Anomalies to publish_alert",
        )
        self.publish_alert = PythonFunction(
            self,
            "PublishAlert",
            code=function_code,
            environment=PublishAlertEnvironment(
                alert_topic_arn=self.alerts.topic.topic_arn, idempotency_table=idempotency.table_name
            ),
            purpose="Routes, deduplicates and throttles anomalies, and publishes them to the alert topic",
            timeout_seconds=TIMEOUT_SECONDS,
        )
        permit(
            self.publish_alert.role,
            *self.alerts.publishing(),
            use_table(idempotency, "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            use_key(data_key, "dynamodb"),
            read_plans(self, [spec.name for spec in workloads]),
        )
        self.publish_alert.consume(self.work, max_concurrency=CONCURRENCY)
        self.undelivered = DeadLetterQueue(self, "Undelivered").queue
        for spec in workloads:
            self._subscribe(spec)
        for name, subscriptions in told_of_trainings.items():
            self._tell_of_trainings(name, subscriptions)

        CfnOutput(self, "AlertTopicArn", value=self.alerts.topic.topic_arn)
        CfnOutput(self, "AlertBusName", value=self.bus.event_bus_name)
        CfnOutput(self, "PublishAlertFunctionName", value=self.publish_alert.function.function_name)

    def _subscribe(self, spec: AnomalyWorkload) -> None:
        for route in spec.alerts.routes:
            if route.subscription is None:
                continue
            subscription = RouteSubscription(
                self,
                f"Route{pascal_name(spec.name)}{pascal_name(route.channel)}",
                topic=self.alerts.topic,
                workload=spec.name,
                attributes={"routes": [route.channel]},
                protocol=route.subscription.protocol,
                endpoint=route.subscription.endpoint,
                undelivered=self.undelivered,
            )
            Tags.of(subscription).add(WORKLOAD_TAG, spec.name)

    def _tell_of_trainings(self, workload: str, subscriptions: Sequence[Subscription]) -> None:
        for number, wanted in enumerate(subscriptions, start=1):
            subscription = RouteSubscription(
                self,
                f"Trainings{pascal_name(workload)}{number}",
                topic=self.alerts.topic,
                workload=workload,
                attributes={"outcome": list(OUTCOMES)},
                protocol=wanted.protocol,
                endpoint=wanted.endpoint,
                undelivered=self.undelivered,
            )
            Tags.of(subscription).add(WORKLOAD_TAG, workload)
