"""The alerts of a workload that Watchkeeper delivers itself: queue, function, dead letters, their alarm."""

from __future__ import annotations

from collections.abc import Iterator
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
from lambdas.alerting.posting import ANSWERED_WITHIN_SECONDS
from lambdas.alerting.target import Targets
from watchkeeper.core.errors import InvalidInputError

SPARE_SECONDS = 20
"""Beside the time that targets have to answer."""
CONCURRENCY = 4
MOST_BYTES = 3500
"""Of the targets: Lambda takes 4 KB of environment variables."""
ATTEMPTS = 100
"""The last of them after a day: `lambdas.runtime.queue_handler.seconds_until_again`."""


class RouteDelivery(Construct):
    """A queue of the workload for all its routes of that kind: an idle queue that Lambda polls has a price.

    Parameters
    ----------
    workload
        Whose alerts.
    targets
        At least one.
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
        targets: Targets,
        timezone: str,
        topic: sns.ITopic,
        undelivered_arn: str,
        idempotency: dynamodb.ITable,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        channels = sorted(targets.by_channel)
        document = targets.to_json()
        if len(document.encode()) > MOST_BYTES:
            raise InvalidInputError(
                f"workload {workload}: the webhooks, secrets and buses of its routes have "
                f"{len(document.encode())} bytes, and {MOST_BYTES} can be deployed: shorten URLs, or leave "
                "routes out"
            )
        seconds = SPARE_SECONDS + int(ANSWERED_WITHIN_SECONDS) * len(channels)
        self.work = WorkQueue(self, "Work", handled_within_seconds=seconds, attempts=ATTEMPTS)
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
            attributes={"routes": channels},
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
                targets=document,
                timezone=timezone,
                idempotency_table=idempotency.table_name,
            ),
            purpose=f"Delivers alerts of {workload}, and again until they are taken",
            timeout_seconds=seconds,
        )
        permit(
            deliver.role,
            *self._reaching(targets),
            use_table(idempotency, "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            use_key(key, "dynamodb"),
        )
        # one message at a time: who waits for a slow target holds up nobody's attempt
        deliver.consume(self.work, max_concurrency=CONCURRENCY, batch_size=1)
        LoopMonitoring(self, "Monitoring", prefix=f"Alerts-{workload}", topic=topic).watch_dead_letters(
            workload, self.work.dead_letters
        )

    def _reaching(self, targets: Targets) -> Iterator[Permission]:
        buses = {each.bus_arn for each in targets.by_channel.values() if each.bus_arn}
        if buses:
            yield Permission(actions=["events:PutEvents"], resources=sorted(buses))
        # Secrets Manager adds six characters of its own to a name
        secrets = [
            Stack.of(self).format_arn(
                service="secretsmanager",
                resource="secret",
                resource_name=f"{name}-??????",
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for name in sorted({each.secret for each in targets.by_channel.values() if each.secret})
        ]
        if secrets:
            yield Permission(actions=["secretsmanager:GetSecretValue"], resources=secrets)
