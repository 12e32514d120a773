"""Anomalies of the alert bus become incidents in their table, and what happens to these goes on the bus."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.event_subscription import EventSubscription
from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import WorkQueue
from infra.permissions import Permission, permit, read_plans, use_key, use_table
from lambdas.incidents.environment import GroupAnomaliesEnvironment
from watchkeeper.anomalies.event import EVENT_DETAIL_TYPE, EVENT_SOURCE

TIMEOUT_SECONDS = 120
CONCURRENCY = 2
BATCH_SIZE = 1000
"""An anomaly is 2 KB, and Lambda is given 6 MB at most."""
BATCH_SECONDS = 1
"""How long the first anomaly of a batch waits for others; queues take more than ten for no less."""
CLOSED_EVERY_MINUTES = 5


class IncidentGrouping(Construct):
    """The queue of anomalies, the function that groups them, and the schedule by which incidents end."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        bus: events.IEventBus,
        incidents: dynamodb.ITable,
        series: dynamodb.ITable,
        data_key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.work = WorkQueue(self, "Work", handled_within_seconds=TIMEOUT_SECONDS)
        EventSubscription(
            self,
            "Anomalies",
            bus=bus,
            pattern=events.EventPattern(source=[EVENT_SOURCE], detail_type=[EVENT_DETAIL_TYPE]),
            work=self.work,
            purpose="Anomalies to group_anomalies",
        )
        self.group_anomalies = PythonFunction(
            self,
            "GroupAnomalies",
            code=code,
            environment=GroupAnomaliesEnvironment(
                incidents_table=incidents.table_name,
                series_table=series.table_name,
                alert_bus=bus.event_bus_name,
            ),
            purpose="Makes incidents of anomalies, and tells when they open, get worse, end",
            memory_mb=1024,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        permit(
            self.group_anomalies.role,
            use_table(incidents, "GetItem", "Query", "PutItem", "DeleteItem"),
            use_table(series, "GetItem"),
            use_key(data_key, "dynamodb"),
            Permission(actions=["events:PutEvents"], resources=[bus.event_bus_arn]),
            read_plans(self),
        )
        self.group_anomalies.consume(
            self.work, max_concurrency=CONCURRENCY, batch_size=BATCH_SIZE, batch_seconds=BATCH_SECONDS
        )
        events.Rule(
            self,
            "Schedule",
            description="Ends incidents of workloads that have been quiet",
            schedule=events.Schedule.rate(Duration.minutes(CLOSED_EVERY_MINUTES)),
            targets=[targets.SqsQueue(self.work.queue, dead_letter_queue=self.work.dead_letters)],
        )
