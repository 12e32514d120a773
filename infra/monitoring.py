"""What an operator looks at and what wakes one."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.alerting import AlertingStack
from infra.console import ConsoleStack
from infra.constructs.alarms import DeliveryAlarms, LagAlarm, SilenceAlarm
from infra.constructs.dashboard import DASHBOARD, WorkloadsDashboard
from infra.constructs.loop_monitoring import LoopMonitoring
from infra.constructs.spending_budget import SpendingBudget
from infra.fleet import FleetStack
from infra.history import HistoryStack
from infra.ingestion import IngestionStack
from infra.scoring import ScoringStack
from infra.service import ServiceStack
from infra.training import TrainingStack


class MonitoringStack(Stack):
    """One dashboard, and the alarms on what all workloads share; they go to the alert topic."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        ingestion: IngestionStack,
        scoring: ScoringStack,
        history: HistoryStack,
        training: TrainingStack,
        alerting: AlertingStack,
        service: ServiceStack,
        console: ConsoleStack | None,
        fleet: FleetStack | None,
        monthly_budget_usd: float,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        topic = alerting.alerts.topic
        shared = LoopMonitoring(self, "Shared", prefix=self.stack_name, topic=topic)
        shared.watch_stream("Delivery", ingestion.telemetry.stream.ref)
        shared.watch_queue("ScoreQueue", scoring.work)
        shared.watch_function("ScoreTelemetry", scoring.score_telemetry.function)
        shared.watch_queue("AnomalyQueue", alerting.grouping.work)
        shared.watch_function("GroupAnomalies", alerting.grouping.group_anomalies.function)
        shared.watch_queue("AlertQueue", alerting.work)
        shared.watch_function("PublishAlert", alerting.publish_alert.function)
        shared.watch_dead_letters("ScheduleDeadLetters", training.lost_starts)
        shared.watch_dead_letters("FailedRuns", training.failed_runs)
        shared.watch_dead_letters("Undelivered", alerting.undelivered)
        shared.watch_dead_letters("UndeliveredTelemetry", scoring.undelivered)
        shared.watch_queue("EndedTasks", service.work)
        shared.watch_function("CloseTask", service.close_task.function)
        shared.watch_function("ServiceApi", service.service_api.function)
        shared.watch_function("FraudApi", service.fraud_api.function)
        shared.watch_function("Simulate", service.fraud_api.simulate)
        shared.watch_function("ConsoleApi", service.console_api.function)
        shared.watch_queue("BacktestQueue", service.backtesting.work)
        shared.watch_function("RunBacktest", service.backtesting.run_backtest.function)
        shared.watch_api("Service", service.http.api)
        shared.watch_dead_letters("RefusedTelemetry", scoring.refused)
        DeliveryAlarms(self, "Delivery", delivery_stream_name=ingestion.telemetry.stream.ref, topic=topic)
        shared.watch_function("WatchTelemetry", scoring.watch_telemetry.function)
        shared.watch_function("MergeScores", history.merge_scores.function)
        shared.watch_dead_letters("LostMerges", history.lost_runs)
        shared.watch_function("ReadScores", history.read_scores.function)
        if console is not None:
            shared.watch_queue("LiveEvents", console.live.work)
            shared.watch_function("PublishLive", console.live.publish_live.function)
            shared.watch_function("LetSubscribe", console.live.let_subscribe.function)
            shared.watch_api("Console", console.http.api)
        if fleet is not None:
            shared.watch_function("AllowJoining", fleet.allow_joining.function)
            shared.watch_function("RetireCertificates", fleet.retire_certificates.function)
            shared.watch_queue("QuarantineQueue", fleet.work)
            shared.watch_function("QuarantineDevice", fleet.quarantine_device.function)
        SilenceAlarm(self, "Silence", topic=topic)
        LagAlarm(self, "Lag", topic=topic)
        if monthly_budget_usd:
            SpendingBudget(self, "Spending", usd=monthly_budget_usd, topic=topic)
        WorkloadsDashboard(self, "Workloads", name=DASHBOARD, score_queue=scoring.work)

        CfnOutput(self, "DashboardName", value=DASHBOARD)
