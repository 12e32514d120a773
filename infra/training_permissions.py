"""What the training workflow, its jobs and its models may do, derived from the calls that they make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.permissions import (
    Permission,
    lend_key,
    list_keys,
    pass_roles,
    read_encrypted_objects,
    read_objects,
    register_models,
    run_jobs,
    sagemaker_arns,
    use_key,
    write_objects,
)
from infra.run_resources import RUN_REASON, Kind, RunResources, on_runs
from watchkeeper.core import layout
from watchkeeper.regression.plan import ExplainPlan
from watchkeeper.service.tasks import MODEL_FILE, Task
from watchkeeper.service.tenant_files import RESULTS_FOLDER, TENANTS

SERVICE_MODELS = f"{TENANTS}/*/{RESULTS_FOLDER}/{Task.TRAIN.value}/*/{MODEL_FILE}"
"""Keys of the models that the anomaly service has trained."""


def job_permissions(
    scope: Construct, *, workload: str, sources: Sequence[str], bucket: s3.IBucket, key: kms.IKey
) -> Iterator[Permission]:
    """Yield what a workload's processing and training jobs may do: read the data, write the run.

    Parameters
    ----------
    sources
        Key prefixes of the data that trainings read.
    """
    runs = layout.runs_of(workload)
    yield read_objects(scope, bucket, *(f"{source}*" for source in sources), f"{runs}*")
    yield write_objects(scope, bucket, f"{runs}*", f"{layout.QUARANTINE}/{workload}/*", in_parts=True)
    yield list_keys(bucket, *sources, runs, f"{layout.QUARANTINE}/{workload}/")
    yield use_key(key, "s3")
    yield from lend_key(key)


def adoption_permissions(scope: Construct, *, bucket: s3.IBucket) -> Iterator[Permission]:
    """Yield what a job may do besides that adopts a model of the anomaly service: read such models."""
    yield read_objects(scope, bucket, SERVICE_MODELS)
    yield list_keys(bucket, f"{TENANTS}/")


def explain_permissions(scope: Construct, explain: ExplainPlan, *, workload: str) -> Iterator[Permission]:
    """Yield what an explain job may do besides: read its baseline, make and remove a shadow endpoint."""
    if explain.shap.baseline_uri:
        location = explain.shap.baseline_uri.removeprefix("s3://")
        arn = f"arn:{Stack.of(scope).partition}:s3:::{location}"
        yield Permission(actions=["s3:GetObject"], resources=[arn])
    if explain.predictor == "endpoint":
        names = [f"{layout.shadow_endpoint_prefix(workload)}-*"]
        endpoints, configs = (sagemaker_arns(scope, kind, names) for kind in ("endpoint", "endpoint-config"))
        model = RunResources(scope, workload, "regression").models
        yield on_runs(["DescribeModel"], model)
        yield on_runs(["CreateEndpointConfig", "DeleteEndpointConfig"], configs)
        yield on_runs(["CreateEndpoint"], [*endpoints, *configs])
        yield on_runs(["DescribeEndpoint", "DeleteEndpoint", "InvokeEndpoint"], endpoints)
        yield on_runs(["AddTags"], [*endpoints, *configs])


def model_permissions(
    scope: Construct,
    *,
    workload: str,
    bucket: s3.IBucket,
    key: kms.IKey,
    alarm_arns: Sequence[str],
) -> Iterator[Permission]:
    """Yield what a workload's models may do: transform the run's data, write captured requests."""
    runs, captures = layout.runs_of(workload), layout.capture_prefix(workload)
    yield read_objects(scope, bucket, f"{runs}*")
    yield write_objects(scope, bucket, f"{runs}*", f"{captures}*", in_parts=True)
    yield list_keys(bucket, runs, captures)
    yield use_key(key, "s3")
    yield from lend_key(key)
    yield _describe_alarms(alarm_arns)


def workflow_permissions(
    scope: Construct,
    *,
    workload: str,
    kind: Kind,
    functions: Sequence[str],
    roles: Sequence[iam.IRole],
    package_group: str,
    bucket: s3.IBucket,
    key: kms.IKey,
    alarm_arns: Sequence[str] | None,
) -> Iterator[Permission]:
    """Yield what a workload's state machine may do.

    Parameters
    ----------
    functions
        ARNs of those that its states call.
    roles
        The roles that it hands to SageMaker.
    package_group
        Name of the workload's model package group.
    alarm_arns
        Those that watch its endpoint's deployments; None of a workload without an endpoint.
    """
    runs = RunResources(scope, workload, kind)
    yield Permission(actions=["lambda:InvokeFunction"], resources=functions)
    jobs = {
        "TrainingJob": runs.training_jobs,
        "ProcessingJob": runs.processing_jobs,
        "TransformJob": runs.transform_jobs,
    }
    for job, arns in jobs.items():
        if arns:
            yield run_jobs(job, arns, RUN_REASON)
    if kind == "fraud":
        yield _run_spark(scope, layout.process_job_name(workload))
    if alarm_arns is not None:
        yield from _deploying(runs, alarm_arns)
    yield register_models(scope, package_group)
    yield pass_roles(*roles)
    # SageMaker looks at a package's artifacts as who registers it.
    yield read_objects(scope, bucket, f"{layout.runs_of(workload)}*")
    yield read_encrypted_objects(key)
    yield from lend_key(key)


def _run_spark(scope: Construct, job: str) -> Permission:
    """Start and stop a Glue job's runs, as Step Functions documents for a state that waits for one."""
    verbs = ("StartJobRun", "GetJobRun", "GetJobRuns", "BatchStopJobRun")
    arn = Stack.of(scope).format_arn(service="glue", resource="job", resource_name=job)
    return Permission(actions=[f"glue:{verb}" for verb in verbs], resources=[arn])


def _deploying(runs: RunResources, alarm_arns: Sequence[str]) -> Iterator[Permission]:
    """Yield what it takes to make models and to put one behind an endpoint."""
    yield on_runs(["CreateModel", "AddTags"], runs.models)
    yield on_runs(["CreateEndpointConfig", "AddTags"], runs.endpoint_configs)
    yield on_runs(["CreateEndpoint", "UpdateEndpoint"], [*runs.endpoints, *runs.endpoint_configs])
    yield on_runs(["DescribeEndpoint", "AddTags"], runs.endpoints)
    yield Permission(
        actions=["sagemaker:ListEndpoints"],
        resources=["*"],
        reason="SageMaker has no resource to name when endpoints are listed.",
    )
    yield _describe_alarms(alarm_arns)


def _describe_alarms(alarm_arns: Sequence[str]) -> Permission:
    return Permission(actions=["cloudwatch:DescribeAlarms"], resources=alarm_arns)
