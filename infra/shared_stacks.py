"""The stacks that exist once, whatever workloads there are, and what each gets from the others."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito

from infra.alerting import AlertingStack
from infra.bundles import Bundles
from infra.console import ConsoleStack
from infra.fleet import FleetStack
from infra.history import HistoryStack
from infra.ingestion import IngestionStack
from infra.monitoring import MonitoringStack
from infra.scoring import ScoringStack
from infra.service import ServiceStack
from infra.service_tasks import ServiceTasksStack
from infra.settings import Settings
from infra.sharing import SharedStack
from infra.storage import StorageStack
from infra.training import TrainingStack


def add_shared_stacks(
    app: cdk.App, *, settings: Settings, bundles: Bundles, env: cdk.Environment
) -> list[cdk.Stack]:
    """Add the shared stacks and return those whose outputs workloads' stacks read."""
    storage = StorageStack(app, SharedStack.STORAGE, mfa=cognito.Mfa[settings.service_mfa.upper()], env=env)
    alerting = AlertingStack(
        app,
        SharedStack.ALERTING,
        function_code=bundles.functions,
        incidents=storage.incidents,
        series=storage.series,
        idempotency=storage.idempotency,
        data_key=storage.key,
        env=env,
    )
    scoring = ScoringStack(
        app, SharedStack.SCORING, bundles=bundles, storage=storage, alert_bus=alerting.bus, env=env
    )
    history = HistoryStack(app, SharedStack.HISTORY, code=bundles.history, storage=storage, env=env)
    ingestion = IngestionStack(app, SharedStack.INGESTION, storage=storage, env=env)
    training = TrainingStack(
        app, SharedStack.TRAINING, bundles=bundles, storage=storage, alert_bus=alerting.bus, env=env
    )
    tasks = ServiceTasksStack(
        app,
        SharedStack.SERVICE_TASKS,
        definitions=bundles.service_definitions,
        model_code=bundles.model,
        storage=storage,
        env=env,
    )
    service = ServiceStack(
        app,
        SharedStack.SERVICE,
        settings=settings,
        bundles=bundles,
        storage=storage,
        state_machines=tasks.state_machines,
        read_scores=history.read_scores.function,
        alerting=alerting,
        env=env,
    )
    fleet = None
    if settings.fleet == "on":
        fleet = FleetStack(
            app,
            SharedStack.FLEET,
            function_code=bundles.functions,
            devices=storage.devices,
            idempotency=storage.idempotency,
            alert_bus=alerting.bus,
            data_key=storage.key,
            env=env,
        )
    console = None
    if settings.console != "off":
        console = ConsoleStack(
            app,
            "WatchkeeperConsole",
            settings=settings,
            bundles=bundles,
            storage=storage,
            service=service,
            alert_bus=alerting.bus,
            env=env,
        )
    MonitoringStack(
        app,
        SharedStack.MONITORING,
        ingestion=ingestion,
        scoring=scoring,
        history=history,
        training=training,
        alerting=alerting,
        service=service,
        console=console,
        fleet=fleet,
        monthly_budget_usd=settings.monthly_budget_usd,
        env=env,
    )
    return [storage, alerting, scoring, ingestion, training, *([fleet] if fleet else [])]
