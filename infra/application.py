"""The whole application: which stacks there are and what each gets from the others."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from cdk_nag import AwsSolutionsChecks

from infra.alerting import AlertingStack
from infra.bundles import Bundles
from infra.history import HistoryStack
from infra.ingestion import IngestionStack
from infra.monitoring import MonitoringStack
from infra.scoring import ScoringStack
from infra.service import ServiceStack
from infra.service_tasks import ServiceTasksStack
from infra.settings import Settings
from infra.sharing import SharedParts
from infra.storage import StorageStack
from infra.training import TrainingStack
from infra.withdrawn_services import WithdrawnServicesCheck
from infra.workload import WorkloadStack
from watchkeeper.spec import WorkloadSpec

PROJECT_TAG = "watchkeeper:project"


def add_stacks(
    app: cdk.App, *, settings: Settings, workloads: Sequence[WorkloadSpec], bundles: Bundles
) -> None:
    """Add every stack of the application: those that exist once, and one for each workload."""
    environment = cdk.Environment(region=settings.region)
    storage = StorageStack(
        app, "WatchkeeperStorage", mfa=cognito.Mfa[settings.service_mfa.upper()], env=environment
    )
    alerting = AlertingStack(
        app,
        "WatchkeeperAlerting",
        function_code=bundles.functions,
        incidents=storage.incidents,
        series=storage.series,
        idempotency=storage.idempotency,
        data_key=storage.key,
        env=environment,
    )
    scoring = ScoringStack(
        app, "WatchkeeperScoring", bundles=bundles, storage=storage, alert_bus=alerting.bus, env=environment
    )
    history = HistoryStack(app, "WatchkeeperHistory", code=bundles.history, storage=storage, env=environment)
    ingestion = IngestionStack(app, "WatchkeeperIngestion", storage=storage, env=environment)
    training = TrainingStack(app, "WatchkeeperTraining", bundles=bundles, storage=storage, env=environment)
    tasks = ServiceTasksStack(
        app,
        "WatchkeeperServiceTasks",
        definitions=bundles.service_definitions,
        model_code=bundles.model,
        storage=storage,
        env=environment,
    )
    service = ServiceStack(
        app,
        "WatchkeeperService",
        settings=settings,
        bundles=bundles,
        storage=storage,
        state_machines=tasks.state_machines,
        read_scores=history.read_scores.function,
        alert_bus=alerting.bus,
        env=environment,
    )
    MonitoringStack(
        app,
        "WatchkeeperMonitoring",
        ingestion=ingestion,
        scoring=scoring,
        history=history,
        training=training,
        alerting=alerting,
        service=service,
        monthly_budget_usd=settings.monthly_budget_usd,
        env=environment,
    )
    shared = SharedParts(
        bucket_name=storage.bucket_name,
        page_bucket_name=storage.page_bucket_name,
        series_table=storage.series_name,
        anomalies_table=storage.anomalies_name,
        idempotency_table=storage.idempotency_name,
        alert_bus=alerting.bus_name,
        data_key_arn=storage.key_arn,
        alert_topic_arn=alerting.topic_arn,
        alert_key_arn=alerting.topic_key_arn,
        undelivered_alerts_arn=alerting.undelivered_arn,
        delivery_stream_name=ingestion.stream_name,
        topic_rule_role_arn=ingestion.topic_rule_role_arn,
        score_queue_arn=scoring.score_queue_arn,
        tick_role_arn=scoring.tick_role_arn,
        undelivered_telemetry_arn=scoring.undelivered_arn,
        function_arns=training.function_arns,
        schedule_role_arn=training.schedule_role_arn,
        lost_starts_arn=training.lost_starts_arn,
    )
    for spec in workloads:
        stack = WorkloadStack(app, spec, bundles=bundles, shared=shared, env=environment)
        for owner in (storage, alerting, scoring, ingestion, training):
            stack.add_stack_dependency(owner)
    cdk.Tags.of(app).add(PROJECT_TAG, "watchkeeper")


def add_checks(app: cdk.App) -> None:
    """Let synthesis fail on what cdk-nag's rules for AWS Solutions find and on withdrawn services."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), WithdrawnServicesCheck())
