"""What the attribution drift monitor may do, derived from the calls that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.permissions import (
    Permission,
    lend_key,
    list_keys,
    read_objects,
    sagemaker_arns,
    use_key,
    use_table,
    write_objects,
)
from infra.run_resources import on_runs
from watchkeeper.core import layout
from watchkeeper.regression.drift_runs import drift_run


def collecting_permissions(
    scope: Construct,
    workloads: Sequence[str],
    *,
    bucket: s3.IBucket,
    series: dynamodb.ITable,
    key: kms.IKey,
) -> Iterator[Permission]:
    """Yield what `collect_captures` may do: read captured requests and the training run, write a sample."""
    captures = [layout.capture_prefix(name) for name in workloads]
    runs = [layout.run_prefix(name, "*") for name in workloads]
    yield read_objects(
        scope,
        bucket,
        *(f"{prefix}*" for prefix in captures),
        *(f"{prefix}plan.json" for prefix in runs),
        *(f"{prefix}explain/config/analysis_config.json" for prefix in runs),
    )
    yield write_objects(scope, bucket, *(f"{layout.drift_prefix(name)}*" for name in workloads))
    yield list_keys(bucket, *captures, *(f"{layout.RUNS}/{name}/" for name in workloads))
    yield use_table(series, "GetItem")
    yield use_key(key, "s3", "dynamodb")


def publishing_permissions(
    scope: Construct, workloads: Sequence[str], *, bucket: s3.IBucket, key: kms.IKey
) -> Iterator[Permission]:
    """Yield what `publish_drift` may do: read the report."""
    yield read_objects(scope, bucket, *(f"{layout.drift_prefix(name)}*" for name in workloads))
    yield list_keys(bucket, *(layout.drift_prefix(name) for name in workloads))
    yield use_key(key, "s3")


def drift_job_permissions(
    scope: Construct, workload: str, *, bucket: s3.IBucket, key: kms.IKey
) -> Iterator[Permission]:
    """Yield what the job that compares may do: read the sample and the training run, write the report."""
    runs, drift = f"{layout.RUNS}/{workload}/", layout.drift_prefix(workload)
    yield read_objects(scope, bucket, f"{runs}*", f"{drift}*")
    yield write_objects(scope, bucket, f"{drift}*")
    yield list_keys(bucket, runs, drift)
    yield use_key(key, "s3")
    yield from lend_key(key)


def drift_workflow_permissions(
    scope: Construct,
    *,
    workload: str,
    functions: Sequence[PythonFunction],
    job_role: iam.IRole,
    key: kms.IKey,
) -> Iterator[Permission]:
    """Yield what the monitor's state machine may do."""
    yield Permission(
        actions=["lambda:InvokeFunction"], resources=[each.function.function_arn for each in functions]
    )
    yield on_runs(
        [
            "CreateProcessingJob",
            "DescribeProcessingJob",
            "StopProcessingJob",
            "AddTags",
            "ListTags",
        ],
        sagemaker_arns(scope, "processing-job", [_job_of_any_run(workload)]),
    )
    yield Permission(
        actions=["iam:PassRole"],
        resources=[job_role.role_arn],
        conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    )
    yield from lend_key(key)


def _job_of_any_run(workload: str) -> str:
    run = drift_run(
        bucket="any",
        workload=workload,
        execution_arn="any",
        started_at=datetime(2000, 1, 1, tzinfo=timezone.utc),
        model_run_id="any",
    )
    return run.names.job.replace(run.run_id, "*")
