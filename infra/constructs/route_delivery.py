"""The alerts of a route that Watchkeeper delivers itself: queue, function, dead letters and their alarm."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.loop_monitoring import LoopMonitoring
from infra.constructs.python_function import PythonFunction
from infra.constructs.route_subscription import RouteSubscription
from infra.constructs.work_queue import WorkQueue
from infra.permissions import Permission, permit, use_key, use_table
from lambdas.alerting.deliver_alert import DeliverAlertEnvironment
from lambdas.alerting.target import Target

TIMEOUT_SECONDS = 30
CONCURRENCY = 2
ATTEMPTS = 100
"""The last of them after a day: `lambdas.runtime.queue_handler.seconds_until_again`."""


class RouteDelivery(Construct):
    """A queue of its own, so that a target which does not answer holds up no other one.

    Parameters
    ----------
    workload, channel
        Whose alerts.
    timezone
        In which people are told times.
    topic
        The alert topic: where the alerts come from, and the alarm goes to.
    idempotency
        Table of what was delivered.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        workload: str,
        channel: str,
        target: Target,
        timezone: str,
        topic: sns.ITopic,
        undelivered_arn: str,
        idempotency: dynamodb.ITable,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.work = WorkQueue(self, "Work", handled_within_seconds=TIMEOUT_SECONDS, attempts=ATTEMPTS)
        self.work.queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.work.queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )
        RouteSubscription(
            self,
            "Alerts",
            topic_arn=topic.topic_arn,
            workload=workload,
            attributes={"routes": [channel]},
            protocol="sqs",
            endpoint=self.work.queue.queue_arn,
            undelivered_arn=undelivered_arn,
            raw=True,
        )
        deliver = PythonFunction(
            self,
            "Deliver",
            code=code,
            environment=DeliverAlertEnvironment(
                channel=channel,
                target=target.to_json(),
                timezone=timezone,
                idempotency_table=idempotency.table_name,
            ),
            purpose=f"Delivers alerts of {workload} on {channel}, and again until they are taken",
            timeout_seconds=TIMEOUT_SECONDS,
        )
        permit(
            deliver.role,
            self._reaching(target),
            use_table(idempotency, "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            use_key(key, "dynamodb"),
        )
        # one message at a time: who waits for a slow target holds up nobody's attempt
        deliver.consume(self.work, max_concurrency=CONCURRENCY, batch_size=1)
        LoopMonitoring(
            self, "Monitoring", prefix=f"Alerts-{workload}-{channel}", topic=topic
        ).watch_dead_letters(f"{workload}-{channel}", self.work.dead_letters)

    def _reaching(self, target: Target) -> Permission:
        if target.by == "event_bus":
            return Permission(actions=["events:PutEvents"], resources=[target.bus_arn])
        # Secrets Manager adds six characters of its own to a name
        arn = Stack.of(self).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=f"{target.secret}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return Permission(actions=["secretsmanager:GetSecretValue"], resources=[arn])
