"""What an operator looks at and what wakes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.alerting import AlertingStack
from infra.constructs.loop_monitoring import LoopMonitoring
from infra.constructs.workload_monitoring import Scoring, WorkloadMonitoring
from infra.ingestion import IngestionStack
from infra.naming import pascal_name
from infra.scoring import ScoringStack
from infra.service import ServiceStack
from infra.training import TrainingStack
from watchkeeper.spec import AnomalyWorkload, WorkloadSpec


class MonitoringStack(Stack):
    """A dashboard a workload, and alarms that go to the alert topic."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workloads: Sequence[WorkloadSpec],
        ingestion: IngestionStack,
        scoring: ScoringStack,
        training: TrainingStack,
        alerting: AlertingStack,
        service: ServiceStack,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        topic = alerting.alerts.topic
        shared = LoopMonitoring(self, "Shared", prefix=self.stack_name, topic=topic)
        shared.watch_stream("Delivery", ingestion.telemetry.stream.ref)
        shared.watch_queue("ScoreQueue", scoring.work)
        shared.watch_function("ScoreTelemetry", scoring.score_telemetry.function)
        shared.watch_queue("AlertQueue", alerting.work)
        shared.watch_function("PublishAlert", alerting.publish_alert.function)
        shared.watch_dead_letters("ScheduleDeadLetters", training.dead_letters)
        shared.watch_dead_letters("Undelivered", alerting.undelivered)
        shared.watch_dead_letters("UndeliveredTelemetry", scoring.telemetry.undelivered)
        shared.watch_queue("EndedTasks", service.work)
        shared.watch_function("CloseTask", service.close_task.function)
        shared.watch_function("ServiceApi", service.service_api.function)
        shared.watch_api("Service", service.http.api)
        for spec in workloads:
            suffix = pascal_name(spec.name)
            place = training.workloads[spec.name]
            workload = WorkloadMonitoring(
                self,
                suffix,
                workload=spec.name,
                state_machine=place.workflow.state_machine,
                rollback=place.rollback,
                scoring=Scoring(spec.gate.max_alerts_per_week, scoring.work)
                if isinstance(spec, AnomalyWorkload)
                else None,
                topic=topic,
            )
            CfnOutput(self, f"DashboardName{suffix}", value=workload.dashboard_name)
