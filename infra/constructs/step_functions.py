"""The functions that the states of workflows call, each with a role for its own calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.permissions import (
    Permission,
    lend_key,
    list_keys,
    permit,
    read_objects,
    read_plans,
    sagemaker_arns,
    use_key,
    use_table,
    write_objects,
)
from infra.run_resources import RunResources, on_runs
from lambdas.runtime.workflow_step import WORKLOAD, AwsCalls
from pipeline.step import Step


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepResources:
    """What the functions' calls are made on."""

    bucket: s3.IBucket
    series: dynamodb.ITable
    key: kms.IKey
    service_models: str | None = None
    """Name of the model package group of the anomaly service."""

    def variables(self, scope: Construct) -> dict[str, str]:
        """Return what the functions may be told, by the names of their environments' fields."""
        told = {"data_bucket": self.bucket.bucket_name, "series_table": self.series.table_name}
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
        Folder with the bundle of all functions.
    workloads
        Names of those that the steps serve.
    """

    def __init__(
        self,
        scope: Construct,
        steps: Iterable[Step],
        *,
        code: Path,
        workloads: Sequence[str],
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
                code=code,
                environment=step.environment(**{name: told[name] for name in wanted}),
                purpose=step.environment.purpose,
                memory_mb=step.memory_mb,
                timeout_seconds=step.timeout_seconds,
            )
            calls = step.environment.calls
            permit(function.role, *_permissions(scope, calls, workloads, resources))
            self.by_step[step.name] = function
            self.substitutions[step.substitution] = function.function.function_arn


def _permissions(
    scope: Construct, calls: AwsCalls, workloads: Sequence[str], resources: StepResources
) -> Iterator[Permission]:
    """Yield what a step's calls need."""

    def of_workloads(templates: Iterable[str]) -> list[str]:
        keys = (each.replace(WORKLOAD, name) for each in templates for name in workloads)
        return list(dict.fromkeys(keys))

    bucket, runs = resources.bucket, [RunResources(scope, name) for name in workloads]
    if calls.reads:
        yield read_objects(scope, bucket, *of_workloads(calls.reads))
    if calls.lists:
        yield list_keys(bucket, *of_workloads(calls.lists))
    if calls.writes:
        yield write_objects(scope, bucket, *of_workloads(calls.writes))
    if calls.reads_plans:
        yield read_plans(scope, workloads)
    if calls.series:
        yield use_table(resources.series, *calls.series)
    if calls.models:
        yield on_runs(calls.models, [arn for run in runs for arn in run.models])
    if calls.packages:
        yield on_runs(calls.packages, [arn for run in runs for arn in run.packages])
    if calls.endpoint_configs:
        yield on_runs(calls.endpoint_configs, [arn for run in runs for arn in run.endpoint_configs])
    if calls.endpoints:
        yield on_runs(calls.endpoints, [arn for run in runs for arn in run.endpoints])
    if calls.service_models:
        yield Permission(
            actions=[f"sagemaker:{action}" for action in calls.service_models],
            resources=sagemaker_arns(scope, "model-package", [f"{resources.service_models}/*"]),
            reason="The versions of a package group are numbered at run time.",
        )
    services = [
        *(["s3"] if calls.reads or calls.writes else []),
        *(["dynamodb"] if calls.series else []),
    ]
    if services:
        yield use_key(resources.key, *services)
    if "UpdateEndpoint" in calls.endpoints:
        yield from lend_key(resources.key)  # to the volumes of the configuration that it goes to
