"""The whole application: which stacks there are and what each gets from the others."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.alerting import AlertingStack
from infra.bundles import Bundles, watched_for_drift
from infra.drift import DriftStack
from infra.ingestion import IngestionStack
from infra.monitoring import MonitoringStack
from infra.scoring import ScoringStack
from infra.service import ServiceStack
from infra.service_tasks import ServiceTasksStack
from infra.settings import Settings
from infra.storage import StorageStack
from infra.training import TrainingStack
from infra.withdrawn_services import WithdrawnServicesCheck
from watchkeeper.spec import AnomalyWorkload, RegressionWorkload, WorkloadSpec

PROJECT_TAG = "watchkeeper:project"


def add_stacks(
    app: cdk.App, *, settings: Settings, workloads: Sequence[WorkloadSpec], bundles: Bundles
) -> None:
    """Add every stack of the application."""
    environment = cdk.Environment(region=settings.region)
    watching = [spec for spec in workloads if isinstance(spec, AnomalyWorkload)]
    storage = StorageStack(app, "WatchkeeperStorage", workloads=workloads, env=environment)
    alerting = AlertingStack(
        app,
        "WatchkeeperAlerting",
        workloads=watching,
        told_of_trainings={
            spec.name: spec.notifications for spec in workloads if isinstance(spec, RegressionWorkload)
        },
        function_code=bundles.functions,
        idempotency=storage.idempotency,
        data_key=storage.key,
        env=environment,
    )
    scoring = ScoringStack(
        app,
        "WatchkeeperScoring",
        workloads=watching,
        function_code=bundles.functions,
        bucket=storage.bucket,
        series=storage.series,
        anomalies=storage.anomalies,
        idempotency=storage.idempotency,
        data_key=storage.key,
        alert_bus=alerting.bus,
        env=environment,
    )
    ingestion = IngestionStack(
        app,
        "WatchkeeperIngestion",
        workloads=watching,
        bucket=storage.bucket,
        data_key=storage.key,
        env=environment,
    )
    training = TrainingStack(
        app,
        "WatchkeeperTraining",
        workloads=workloads,
        definitions=bundles.definitions,
        function_code=bundles.functions,
        model_code=bundles.model,
        analysis_code=bundles.analysis,
        package_groups=storage.package_groups,
        service_models=storage.service_models,
        bucket=storage.bucket,
        series=storage.series,
        data_key=storage.key,
        alerts=alerting.alerts,
        env=environment,
    )
    tasks = ServiceTasksStack(
        app,
        "WatchkeeperServiceTasks",
        definitions=bundles.service_definitions,
        model_code=bundles.model,
        bucket=storage.bucket,
        requests=storage.requests,
        package_group=storage.service_models,
        data_key=storage.key,
        env=environment,
    )
    service = ServiceStack(
        app,
        "WatchkeeperService",
        function_code=bundles.functions,
        api_code=bundles.api,
        state_machines=tasks.state_machines,
        bucket=storage.bucket,
        requests=storage.requests,
        data_key=storage.key,
        users=storage.users,
        package_groups=list(storage.package_groups.values()),
        cors_origins=settings.service_cors_origins,
        env=environment,
    )
    watched = watched_for_drift(workloads)
    if watched:
        DriftStack(
            app,
            "WatchkeeperDrift",
            watched=watched,
            definitions=bundles.drift_definitions,
            function_code=bundles.functions,
            analysis_code=bundles.analysis,
            bucket=storage.bucket,
            series=storage.series,
            data_key=storage.key,
            alerts=alerting.alerts,
            dead_letters=training.dead_letters,
            env=environment,
        )
    MonitoringStack(
        app,
        "WatchkeeperMonitoring",
        workloads=workloads,
        ingestion=ingestion,
        scoring=scoring,
        training=training,
        alerting=alerting,
        service=service,
        env=environment,
    )
    cdk.Tags.of(app).add(PROJECT_TAG, "watchkeeper")


def add_checks(app: cdk.App) -> None:
    """Let synthesis fail on what cdk-nag's rules for AWS Solutions find and on withdrawn services."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), WithdrawnServicesCheck())
