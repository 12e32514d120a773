"""What the attribution drift monitor may do, derived from the calls that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.permissions import (
    Permission,
    lend_key,
    list_keys,
    pass_roles,
    read_objects,
    run_jobs,
    sagemaker_arns,
    use_key,
    write_objects,
)
from infra.run_resources import RUN_REASON
from watchkeeper.core import layout
from watchkeeper.regression.drift_runs import drift_run


def drift_job_permissions(
    scope: Construct, workload: str, *, bucket: s3.IBucket, key: kms.IKey
) -> Iterator[Permission]:
    """Yield what the job that compares may do: read the sample and the training run, write the report."""
    runs, drift = layout.runs_of(workload), layout.drift_prefix(workload)
    yield read_objects(scope, bucket, f"{runs}*", f"{drift}*")
    yield write_objects(scope, bucket, f"{drift}*")
    yield list_keys(bucket, runs, drift)
    yield use_key(key, "s3")
    yield from lend_key(key)


def drift_workflow_permissions(
    scope: Construct,
    *,
    workload: str,
    functions: Sequence[str],
    job_role: iam.IRole,
    key: kms.IKey,
) -> Iterator[Permission]:
    """Yield what the monitor's state machine may do."""
    yield Permission(actions=["lambda:InvokeFunction"], resources=functions)
    jobs = sagemaker_arns(scope, "processing-job", [_job_of_any_run(workload)])
    yield run_jobs("ProcessingJob", jobs, RUN_REASON)
    yield pass_roles(job_role)
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
