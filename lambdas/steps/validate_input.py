"""First state of the training workflow: refuse what cannot succeed, and name all that the run will make."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from aws_lambda_powertools import Logger

from lambdas.adapters import clients
from lambdas.adapters.executions import RunningExecution, StepFunctionsExecutions
from lambdas.adapters.incident_store import IncidentStore, TableIncidents
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.adapters.plan_store import ParameterPlanStore, PlanStore
from lambdas.adapters.registered_models import (
    RegisteredModels,
    SageMakerRegisteredModels,
    registered_artifact,
)
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.sagemaker_resources import SageMakerControlPlane, SageMakerResources
from lambdas.runtime.workflow_payload import text_of
from lambdas.runtime.workflow_step import RUN_KEYS, AwsCalls, StepEnvironment, step_handler
from lambdas.steps.execution_input import ExecutionInput, Window, checked_input, refuse_if_older_runs
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.release import FraudRelease
from watchkeeper.fraud.schema import schema_of
from watchkeeper.incidents.feedback import labels_of
from watchkeeper.kinds import AnyPlan, AnyRelease
from watchkeeper.lifecycle.release import Release
from watchkeeper.lifecycle.run import NOT_COMPARED_NAME, RELEASE_NAME, TrainingRun, training_run
from watchkeeper.regression.manifest import schema_hash
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.release import RegressionRelease
from watchkeeper.telemetry.labels import LABELS_NAME
from watchkeeper.telemetry.series import parse_series_key


@dataclass(frozen=True, kw_only=True)
class ValidateInputEnvironment(StepEnvironment):
    """What `validate_input` is told when it is deployed."""

    service: ClassVar[str] = "validate_input"
    purpose: ClassVar[str] = "Checks an execution's input and names the run"
    calls: ClassVar[AwsCalls] = AwsCalls(
        lists=(f"{layout.HISTORY}/", f"{layout.RAW}/"),
        writes=(RUN_KEYS,),
        reads_plans=True,
        series=("GetItem",),
        incidents=("Query",),
        models=("DescribeModel",),
        endpoints=("DescribeEndpoint",),
        service_models=("DescribeModelPackage",),
    )

    data_bucket: str
    series_table: str
    incidents_table: str
    service_models_arn: str
    """ARN of a model package of the anomaly service, without its version."""


logger = Logger(service=ValidateInputEnvironment.service)


@dataclass(frozen=True)
class Champion:
    """The model that serves now; all but `exists` are null when there is none."""

    exists: bool
    model: str | None
    run_id: str | None
    artifact: str | None = None
    """Its `model.tar.gz`, of kinds of workload whose evaluation asks the model itself."""


@dataclass(frozen=True)
class EndpointPresence:
    """Whether the workload's endpoint exists."""

    exists: bool


@dataclass(frozen=True)
class Sources:
    """Which of the two places that data may come from have objects; never neither."""

    history: bool
    raw: bool


@dataclass(frozen=True)
class ServedModel:
    """The anomaly service's model that the workload serves; empty where it trains one."""

    uri: str


@dataclass(frozen=True)
class Validated:
    """The answer of `validate_input`."""

    run: TrainingRun
    champion: Champion
    endpoint: EndpointPresence
    window: Window
    sources: Sources
    registered: ServedModel


class Executions(Protocol):
    """Executions of a state machine."""

    def running(self, state_machine_arn: str) -> list[RunningExecution]:
        """Return those that have not ended."""


@dataclass(frozen=True)
class ValidationEffects:
    """Everything outside of `validate_input`."""

    bucket: str
    executions: Executions
    incidents: IncidentStore
    objects: ObjectStore
    plans: PlanStore
    registered: RegisteredModels
    releases: ReleaseStore
    resources: SageMakerResources

    @classmethod
    def in_aws(cls, environment: ValidateInputEnvironment) -> ValidationEffects:
        """Return the effects in AWS."""
        return cls(
            bucket=environment.data_bucket,
            executions=StepFunctionsExecutions(clients.stepfunctions()),
            incidents=TableIncidents(clients.dynamodb(), environment.incidents_table),
            objects=S3ObjectStore(clients.s3()),
            plans=ParameterPlanStore(clients.ssm()),
            registered=SageMakerRegisteredModels(clients.sagemaker(), environment.service_models_arn),
            releases=TableReleaseStore(clients.dynamodb(), environment.series_table),
            resources=SageMakerControlPlane(clients.sagemaker()),
        )


def validate(payload: dict[str, Any], effects: ValidationEffects) -> dict[str, Any]:
    """Check the execution and write its plan.

    Raises
    ------
    InvalidInputError
        If the input is wrong, there is nothing to train on, the registered model may not serve, or an older
        execution runs (`TrainingInProgressError`).
    """
    wanted = checked_input(payload.get("input"))
    own = RunningExecution(parse_instant(text_of(payload, "started_at")), text_of(payload, "execution_arn"))
    refuse_if_older_runs(own, effects.executions.running(text_of(payload, "state_machine_arn")))
    plan = effects.plans.deployed_plan_of(text_of(payload, "workload"), text_of(payload, "plan"))
    _check_window(wanted, plan)
    run = training_run(
        workload=plan.workload,
        bucket=effects.bucket,
        execution_arn=own.execution_arn,
        started_at=own.started_at,
        reason=wanted.reason,
    )
    sources = _sources(run, plan, effects)
    artifact = registered_artifact(plan, effects.bucket, effects.registered)
    effects.objects.write(ObjectUri.parse(run.uris.plan), plan.to_json().encode())
    if isinstance(plan, WorkloadPlan):
        store = effects.incidents
        people = (store.verdicts(plan.workload), store.labels(plan.workload))
        said = labels_of(*people) if plan.feedback_labels else {}
        effects.objects.write(ObjectUri.parse(f"{run.uris.feedback}{LABELS_NAME}"), json.dumps(said).encode())
    champion, not_compared = _champion(plan, effects)
    if not_compared is not None:
        logger.info("no comparison with the live model", extra={"reason": not_compared})
        effects.objects.write(
            ObjectUri.parse(f"{run.uris.champion}{NOT_COMPARED_NAME}"), not_compared.encode()
        )
    if isinstance(plan, WorkloadPlan) and plan.detector.is_streaming:
        document = "null" if champion is None else champion.to_json()
        effects.objects.write(ObjectUri.parse(f"{run.uris.champion}{RELEASE_NAME}"), document.encode())
    validated = Validated(
        run=run,
        champion=Champion(
            exists=champion is not None,
            model=champion.model if champion else None,
            run_id=champion.run_id if champion else None,
            artifact=champion.artifact if isinstance(champion, FraudRelease) else None,
        ),
        endpoint=EndpointPresence(effects.resources.endpoint(run.names.endpoint) is not None),
        window=wanted.window(),
        sources=sources,
        registered=ServedModel(artifact),
    )
    return dataclasses.asdict(validated)


def _check_window(wanted: ExecutionInput, plan: AnyPlan) -> None:
    if isinstance(plan, RegressionPlan) and plan.history.timestamp is None and (wanted.start or wanted.end):
        raise InvalidInputError(
            f"execution input: the rows of workload {plan.workload!r} have no time; leave start and end out, "
            "or name the column in history.timestamp"
        )


def _champion(plan: AnyPlan, effects: ValidationEffects) -> tuple[AnyRelease | None, str | None]:
    """Return the live release if its model can be compared on what this plan makes, or why it cannot."""
    live = effects.releases.live(plan.workload)
    if live is None:
        return None, None
    why: str | None = f"run {live.run_id} is another kind of detector or workload"
    match plan, live:
        case WorkloadPlan(), Release() if plan.detector.is_streaming and live.stream is not None:
            return live, None
        case WorkloadPlan(), Release() if plan.detector.is_streaming or live.stream is not None:
            pass
        case _ if not effects.resources.model_exists(live.model):
            why = f"the model of run {live.run_id} is gone"
        case WorkloadPlan(), Release():
            why = _unlike(plan, live)
        case RegressionPlan(), RegressionRelease():
            same = live.schema_hash == schema_hash(plan)
            why = None if same else f"run {live.run_id} was trained on other columns"
        case FraudPlan(), FraudRelease():
            same = live.schema_hash == schema_of(plan).hash
            why = None if same else f"run {live.run_id} was trained on other features"
    return (live, None) if why is None else (None, why)


def _unlike(plan: WorkloadPlan, live: Release) -> str | None:
    """Say why a model would refuse the plan's rows, or not know one series of them; None if it would not."""
    unknown = [measure.name for measure in plan.measures if measure.name not in live.fleet_scales]
    if unknown:
        return f"run {live.run_id} was trained without the measures {', '.join(unknown)}"
    for series in live.step_scales:
        names = tuple(name for name, _ in parse_series_key(series).dimensions)
        if names != plan.dimensions:
            told = ", ".join(names) or "none"
            return f"run {live.run_id} was trained with other dimensions ({told})"
    return None


def _sources(run: TrainingRun, plan: AnyPlan, effects: ValidationEffects) -> Sources:
    """Tell which of the two places that data may come from have objects; a table has its history only."""
    places = {"history": run.uris.history}
    if isinstance(plan, WorkloadPlan):
        places["raw"] = run.uris.raw
    found = {name: effects.objects.any_under(ObjectUri.parse(uri)) for name, uri in places.items()}
    if not any(found.values()):
        raise InvalidInputError(
            f"workload {run.workload!r} has nothing to train on: no object under "
            f"{' or '.join(places.values())}; upload its history as .csv or .jsonl to {run.uris.history}"
        )
    return Sources(**{"history": False, "raw": False, **found})


handle = step_handler(validate, ValidateInputEnvironment, ValidationEffects.in_aws)
