"""What the training workflow and its functions may do, derived from the calls that they make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.constructs.training_functions import ExplanationFunctions, TrainingFunctions
from infra.permissions import (
    Permission,
    invoke_endpoints,
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
from infra.run_resources import RUN_REASON, Kind, RunResources, on_runs
from watchkeeper.core import layout
from watchkeeper.regression.analysis_configuration import FILE_NAME
from watchkeeper.regression.plan import ExplainPlan
from watchkeeper.service.tasks import MODEL_FILE, Task
from watchkeeper.service.tenant_files import RESULTS_FOLDER, TENANTS


def permit_functions(
    functions: TrainingFunctions,
    *,
    workloads: Sequence[str],
    bucket: s3.IBucket,
    series: dynamodb.ITable,
    key: kms.IKey,
    service_models: str,
) -> None:
    """Give each of the workflow's functions what its calls need.

    Parameters
    ----------
    service_models
        Name of the model package group of the anomaly service.
    """
    runs = [RunResources(functions, name) for name in workloads]
    models = [arn for run in runs for arn in run.models]
    configs = [arn for run in runs for arn in run.endpoint_configs]
    endpoints = [arn for run in runs for arn in run.endpoints]
    run_keys = [f"{layout.RUNS}/{name}/*" for name in workloads]
    read_runs = (read_objects(functions, bucket, *run_keys), list_keys(bucket, f"{layout.RUNS}/"))

    permit(
        functions.validate_input.role,
        list_keys(bucket, f"{layout.HISTORY}/", f"{layout.RAW}/"),
        write_objects(functions, bucket, *run_keys),
        read_plans(functions, workloads),
        use_table(series, "GetItem"),
        on_runs(["DescribeModel"], models),
        on_runs(["DescribeEndpoint"], endpoints),
        Permission(
            actions=["sagemaker:DescribeModelPackage"],
            resources=sagemaker_arns(functions, "model-package", [f"{service_models}/*"]),
            reason="The versions of a package group are numbered at run time.",
        ),
        use_key(key, "s3", "dynamodb"),
    )
    permit(functions.decide_promotion.role, *read_runs, use_key(key, "s3"))
    permit(
        functions.stage_release.role,
        *read_runs,
        use_table(series, "GetItem", "PutItem"),
        use_key(key, "s3", "dynamodb"),
    )
    permit(
        functions.verify_deployment.role,
        on_runs(["DescribeEndpoint"], endpoints),
        on_runs(["DescribeEndpointConfig"], configs),
    )
    permit(functions.smoke_test.role, *read_runs, invoke_endpoints(functions, workloads), use_key(key, "s3"))
    permit(
        functions.publish_release.role,
        use_table(series, "GetItem", "PutItem", "DeleteItem", "Query"),
        on_runs(["DescribeModel", "DeleteModel"], models),
        on_runs(["DescribeEndpointConfig", "DeleteEndpointConfig"], configs),
        use_key(key, "dynamodb"),
    )
    permit(
        functions.clean_up.role,
        use_table(series, "GetItem", "DeleteItem"),
        on_runs(["DescribeEndpoint", "DeleteEndpoint", "UpdateEndpoint"], endpoints),
        on_runs(["DescribeEndpointConfig", "DeleteEndpointConfig", "UpdateEndpoint"], configs),
        on_runs(["DescribeModel", "DeleteModel"], models),
        use_key(key, "dynamodb"),
        *lend_key(key),
    )


def permit_explanation(
    functions: ExplanationFunctions, *, workloads: Sequence[str], bucket: s3.IBucket, key: kms.IKey
) -> None:
    """Give the functions around explain jobs what their calls need."""
    run_keys = [f"{layout.RUNS}/{name}/*" for name in workloads]
    for function in functions:
        permit(
            function.role,
            read_objects(function, bucket, *run_keys),
            list_keys(bucket, f"{layout.RUNS}/"),
            use_key(key, "s3"),
        )
    writer = functions.write_explain_configuration
    configurations = [f"{layout.RUNS}/{name}/*/explain/config/{FILE_NAME}" for name in workloads]
    permit(writer.role, write_objects(writer, bucket, *configurations))


def job_permissions(
    scope: Construct, *, workload: str, sources: Sequence[str], bucket: s3.IBucket, key: kms.IKey
) -> Iterator[Permission]:
    """Yield what a workload's processing and training jobs may do: read the data, write the run.

    Parameters
    ----------
    sources
        Key prefixes of the data that trainings read.
    """
    runs = f"{layout.RUNS}/{workload}/"
    yield read_objects(scope, bucket, *(f"{source}*" for source in sources), f"{runs}*")
    yield write_objects(scope, bucket, f"{runs}*", f"{layout.QUARANTINE}/{workload}/*")
    yield list_keys(bucket, *sources, runs, f"{layout.QUARANTINE}/{workload}/")
    yield use_key(key, "s3")
    yield from lend_key(key)


def adoption_permissions(scope: Construct, *, bucket: s3.IBucket) -> Iterator[Permission]:
    """Yield what a job may do besides that adopts a model of the anomaly service: read such models."""
    models = f"{TENANTS}/*/{RESULTS_FOLDER}/{Task.TRAIN.value}/*/{MODEL_FILE}"
    yield read_objects(scope, bucket, models)
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
    alarms: Sequence[cloudwatch.IAlarm],
) -> Iterator[Permission]:
    """Yield what a workload's models may do: transform the run's data, write captured requests."""
    runs, captures = f"{layout.RUNS}/{workload}/", layout.capture_prefix(workload)
    yield read_objects(scope, bucket, f"{runs}*")
    yield write_objects(scope, bucket, f"{runs}*", f"{captures}*")
    yield list_keys(bucket, runs, captures)
    yield use_key(key, "s3")
    yield from lend_key(key)
    yield _describe_alarms(alarms)


def workflow_permissions(
    scope: Construct,
    *,
    workload: str,
    kind: Kind,
    functions: Sequence[PythonFunction],
    roles: Sequence[iam.IRole],
    package_group: str,
    key: kms.IKey,
    alarms: Sequence[cloudwatch.IAlarm],
) -> Iterator[Permission]:
    """Yield what a workload's state machine may do.

    Parameters
    ----------
    functions
        Those that its states call.
    roles
        The roles that it hands to SageMaker.
    package_group
        Name of the workload's model package group.
    """
    runs = RunResources(scope, workload, kind)
    stack = Stack.of(scope)
    yield Permission(
        actions=["lambda:InvokeFunction"], resources=[each.function.function_arn for each in functions]
    )
    yield _job("TrainingJob", runs.training_jobs)
    yield _job("ProcessingJob", runs.processing_jobs)
    yield _job("TransformJob", runs.transform_jobs)
    yield on_runs(["CreateModel", "AddTags"], runs.models)
    yield on_runs(["CreateEndpointConfig", "AddTags"], runs.endpoint_configs)
    yield on_runs(["CreateEndpoint", "UpdateEndpoint"], [*runs.endpoints, *runs.endpoint_configs])
    yield on_runs(["DescribeEndpoint", "AddTags"], runs.endpoints)
    yield Permission(
        actions=["sagemaker:ListEndpoints"],
        resources=["*"],
        reason="SageMaker has no resource to name when endpoints are listed.",
    )
    yield Permission(
        actions=["sagemaker:CreateModelPackage"],
        resources=[
            stack.format_arn(
                service="sagemaker", resource="model-package-group", resource_name=package_group
            ),
            stack.format_arn(
                service="sagemaker", resource="model-package", resource_name=f"{package_group}/*"
            ),
        ],
        reason=RUN_REASON,
    )
    yield Permission(
        actions=["iam:PassRole"],
        resources=[role.role_arn for role in roles],
        conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )
    yield from lend_key(key)
    yield _describe_alarms(alarms)


def _job(kind: str, resources: list[str]) -> Permission:
    return on_runs([f"Create{kind}", f"Describe{kind}", f"Stop{kind}", "AddTags", "ListTags"], resources)


def _describe_alarms(alarms: Sequence[cloudwatch.IAlarm]) -> Permission:
    return Permission(actions=["cloudwatch:DescribeAlarms"], resources=[alarm.alarm_arn for alarm in alarms])
