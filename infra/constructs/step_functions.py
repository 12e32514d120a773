"""The functions that the states of workflows call, each with a role for its own calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.permissions import (
    WORKLOAD_REASON,
    Permission,
    lend_key,
    list_keys,
    of_workloads,
    permit,
    read_encrypted_objects,
    read_objects,
    read_plans,
    sagemaker_arns,
    use_key,
    use_table,
    write_encrypted_objects,
    write_objects,
)
from lambdas.fraud.transaction_index import BY_ARRIVAL
from lambdas.runtime.workflow_step import WORKLOAD, AwsCalls
from pipeline.step import Step
from watchkeeper.core import layout


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepResources:
    """What the functions' calls are made on."""

    bucket: s3.IBucket
    series: dynamodb.ITable
    key: kms.IKey
    incidents: dynamodb.ITable | None = None
    """With people's verdicts."""
    transactions: dynamodb.ITable | None = None
    """Of fraud workloads."""
    service_models: str | None = None
    """Name of the model package group of the anomaly service."""
    alert_bus: events.IEventBus | None = None

    def variables(self, scope: Construct) -> dict[str, str]:
        """Return what the functions may be told, by the names of their environments' fields."""
        told = {
            "data_bucket": self.bucket.bucket_name,
            "data_key_arn": self.key.key_arn,
            "series_table": self.series.table_name,
        }
        if self.incidents is not None:
            told["incidents_table"] = self.incidents.table_name
        if self.transactions is not None:
            told["transactions_table"] = self.transactions.table_name
        if self.alert_bus is not None:
            told["alert_bus"] = self.alert_bus.event_bus_name
        if self.service_models is not None:
            told["service_models_arn"] = sagemaker_arns(scope, "model-package", [self.service_models])[0]
        return told


class StepFunctions:
    """One function a step, below a scope that several sets of steps may share.

    Parameters
    ----------
    steps
        The records; a function's construct id is its step's name.
    code
        Folders of the bundles by their names.
    """

    def __init__(
        self,
        scope: Construct,
        steps: Iterable[Step],
        *,
        code: Mapping[str, Path],
        resources: StepResources,
    ) -> None:
        told = resources.variables(scope)
        self.by_step: dict[str, PythonFunction] = {}
        self.substitutions: dict[str, str] = {}
        """The functions' ARNs by the names of their placeholders."""
        for step in steps:
            wanted = [each.name for each in dataclasses.fields(step.environment)]
            function = PythonFunction(
                scope,
                step.name,
                code=code[step.bundle],
                environment=step.environment(**{name: told[name] for name in wanted}),
                purpose=step.environment.purpose,
                memory_mb=step.memory_mb,
                timeout_seconds=step.timeout_seconds,
            )
            calls = step.environment.calls
            permit(function.role, *_permissions(scope, calls, resources))
            self.by_step[step.name] = function
            self.substitutions[step.substitution] = function.function.function_arn


def _permissions(scope: Construct, calls: AwsCalls, resources: StepResources) -> Iterator[Permission]:
    """Yield what a step's calls need, for any workload."""

    def of_any(templates: Iterable[str]) -> list[str]:
        return [each.replace(WORKLOAD, "*") for each in templates]

    bucket = resources.bucket
    if calls.reads:
        yield read_objects(scope, bucket, *of_any(calls.reads))
    if calls.lists:
        yield list_keys(bucket, *of_any(calls.lists))
    if calls.writes:
        yield write_objects(scope, bucket, *of_any(calls.writes))
    if calls.reads_plans:
        yield read_plans(scope)
    if calls.series:
        yield use_table(resources.series, *calls.series)
    if calls.incidents and resources.incidents is not None:
        yield use_table(resources.incidents, *calls.incidents)
    if calls.transactions and resources.transactions is not None:
        yield use_table(resources.transactions, *calls.transactions)
    if calls.arrivals and resources.transactions is not None:
        index = f"{resources.transactions.table_arn}/index/{BY_ARRIVAL}"
        yield Permission(actions=["dynamodb:Query"], resources=[index])
    if calls.models:
        yield from of_workloads(scope, "model", *calls.models)
    if calls.packages:
        yield from of_workloads(scope, "model-package", *calls.packages)
    if calls.endpoint_configs:
        yield from of_workloads(scope, "endpoint-config", *calls.endpoint_configs)
    if calls.endpoints:
        yield from of_workloads(scope, "endpoint", *calls.endpoints)
    if calls.service_models:
        yield Permission(
            actions=[f"sagemaker:{action}" for action in calls.service_models],
            resources=sagemaker_arns(scope, "model-package", [f"{resources.service_models}/*"]),
            reason="The versions of a package group are numbered at run time.",
        )
    if calls.endpoint_logs:
        groups = Stack.of(scope).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{layout.ENDPOINT_LOGS}/{layout.PREFIX}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        yield Permission(
            actions=[f"logs:{action}" for action in calls.endpoint_logs],
            resources=[groups],
            reason=WORKLOAD_REASON,
        )
    if calls.tells and resources.alert_bus is not None:
        yield Permission(actions=["events:PutEvents"], resources=[resources.alert_bus.event_bus_arn])
    if calls.writes:
        yield write_encrypted_objects(resources.key)
    elif calls.reads:
        yield read_encrypted_objects(resources.key)
    if calls.series or calls.transactions:
        yield use_key(resources.key, "dynamodb")
    if "UpdateEndpoint" in calls.endpoints:
        yield from lend_key(resources.key)  # to the volumes of the configuration that it goes to
