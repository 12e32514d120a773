"""From an anomaly event to an incident, and to whoever must know of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.alert_topic import AlertTopic
from infra.constructs.dashboard import DASHBOARD
from infra.constructs.event_subscription import EventSubscription
from infra.constructs.incident_grouping import IncidentGrouping
from infra.constructs.link_key import LinkKey
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import DeadLetterQueue, WorkQueue
from infra.permissions import (
    Permission,
    assumed_by,
    permit,
    publish_alerts,
    read_parameter,
    read_plans,
    use_key,
    use_table,
)
from lambdas.adapters.incident_store import BY_ID
from lambdas.adapters.unanswered_store import PARTITION
from lambdas.alerting.environment import PublishAlertEnvironment
from lambdas.alerting.sample import ROUTE_TEST_DETAIL_TYPE
from watchkeeper.anomalies.quality import QUALITY_DETAIL_TYPE
from watchkeeper.core.layout import ANSWERS_PARAMETER
from watchkeeper.incidents.notice import DETAIL_TYPES
from watchkeeper.incidents.unanswered import UNANSWERED_DETAIL_TYPE

TIMEOUT_SECONDS = 30
CONCURRENCY = 2


class AlertingStack(Stack):
    """The alert bus, what makes incidents of its anomalies, who decides who is told, and the topic that tells
    them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_code: Path,
        incidents: dynamodb.ITable,
        series: dynamodb.ITable,
        idempotency: dynamodb.ITable,
        data_key: kms.IKey,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        self.alerts = AlertTopic(self, "Alerts")
        self.bus: events.IEventBus = events.EventBus(
            self,
            "Bus",
            description="Anomalies that Watchkeeper found, incidents, transactions, releases",
        )
        self.work = WorkQueue(self, "Work", handled_within_seconds=TIMEOUT_SECONDS)
        self.grouping = IncidentGrouping(
            self,
            "Incidents",
            code=function_code,
            bus=self.bus,
            incidents=incidents,
            series=series,
            data_key=data_key,
        )
        EventSubscription(
            self,
            "Told",
            bus=self.bus,
            pattern=events.EventPattern(
                source=["watchkeeper"],
                detail_type=[
                    *DETAIL_TYPES.values(),
                    UNANSWERED_DETAIL_TYPE,
                    ROUTE_TEST_DETAIL_TYPE,
                    QUALITY_DETAIL_TYPE,
                ],
            ),
            work=self.work,
            purpose="What happens to incidents, data quality, and tests of routes, to publish_alert",
        )
        EventSubscription(
            self,
            "Frauds",
            bus=self.bus,
            pattern=events.EventPattern(
                source=["watchkeeper"], detail_type=["Transaction Decided"], detail={"flag": [True]}
            ),
            work=self.work,
            purpose="Flagged transactions to publish_alert",
        )
        self.link_key_arn = LinkKey(self, "LinkKey").arn
        self.publish_alert = PythonFunction(
            self,
            "PublishAlert",
            code=function_code,
            environment=PublishAlertEnvironment(
                alert_topic_arn=self.alerts.topic.topic_arn,
                idempotency_table=idempotency.table_name,
                incidents_table=incidents.table_name,
                dashboard_url=dashboard_url(self),
                link_key=self.link_key_arn,
            ),
            purpose="Routes, deduplicates and throttles alerts, and publishes them to the alert topic",
            timeout_seconds=TIMEOUT_SECONDS,
        )
        permit(
            self.publish_alert.role,
            *publish_alerts(self.alerts.topic.topic_arn, self.alerts.key.key_arn),
            use_table(idempotency, "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
            use_table(incidents, "GetItem", "Query"),
            Permission(
                actions=["dynamodb:PutItem"],
                resources=[incidents.table_arn],
                conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [PARTITION]}},
            ),
            Permission(actions=["dynamodb:Query"], resources=[f"{incidents.table_arn}/index/{BY_ID}"]),
            use_key(data_key, "dynamodb"),
            read_plans(self),
            read_parameter(self, ANSWERS_PARAMETER),
            Permission(actions=["secretsmanager:GetSecretValue"], resources=[self.link_key_arn]),
        )
        self.publish_alert.consume(self.work, max_concurrency=CONCURRENCY)
        self.undelivered = DeadLetterQueue(self, "Undelivered").queue
        self.undelivered.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[self.undelivered.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.alerts.topic.topic_arn}},
            )
        )

        digests = iam.Role(self, "Digests", assumed_by=assumed_by(self, "scheduler"))
        permit(
            digests,
            Permission(
                actions=["sqs:SendMessage"], resources=[self.work.queue.queue_arn, self.undelivered.queue_arn]
            ),
        )

        CfnOutput(self, "AlertTopicArn", value=self.alerts.topic.topic_arn)
        CfnOutput(self, "AlertKeyArn", value=self.alerts.key.key_arn)
        CfnOutput(self, "UndeliveredAlertsArn", value=self.undelivered.queue_arn)
        CfnOutput(self, "AlertBusName", value=self.bus.event_bus_name)
        CfnOutput(self, "AlertQueueArn", value=self.work.queue.queue_arn)
        CfnOutput(self, "LinkKeyArn", value=self.link_key_arn)
        CfnOutput(self, "DigestRoleArn", value=digests.role_arn)
        CfnOutput(
            self, "GroupAnomaliesFunctionName", value=self.grouping.group_anomalies.function.function_name
        )
        CfnOutput(self, "PublishAlertFunctionName", value=self.publish_alert.function.function_name)


def dashboard_url(stack: Stack) -> str:
    """Return where the dashboard is looked at; `?start=…&end=…` after it chooses the time."""
    region = stack.region
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
    return f"{console}#dashboards/dashboard/{DASHBOARD}"
