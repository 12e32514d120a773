"""The attribution drift monitor of a regression workload that asks for one; what it may do follows from the
calls that it makes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.alarms import DriftAlarm
from infra.constructs.model_code import ModelCode
from infra.constructs.sagemaker_role import SageMakerRole
from infra.constructs.training_schedule import TrainingSchedule
from infra.constructs.training_workflow import TrainingWorkflow
from infra.definition_images import images_of
from infra.permissions import (
    Permission,
    lend_key,
    list_keys,
    pass_roles,
    permit,
    read_objects,
    run_jobs,
    sagemaker_arns,
    use_key,
    write_objects,
)
from infra.run_resources import RUN_REASON
from infra.sharing import SharedParts
from pipeline.step import DRIFT
from pipeline.substitutions import Substitution
from watchkeeper.core import layout
from watchkeeper.regression.drift_runs import drift_run
from watchkeeper.spec.explaining import Drift


class DriftMonitor(Construct):
    """A state machine that compares, its schedule and its alarm.

    Parameters
    ----------
    drift
        Settings of the monitor.
    definition
        File with the state machine in the Amazon States Language.
    analysis_code
        What the job runs.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        drift: Drift,
        definition: Path,
        analysis_code: ModelCode,
        shared: SharedParts,
        bucket: s3.IBucket,
        key: kms.IKey,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        text = definition.read_text()
        functions = {step.substitution: shared.function_arns[step.substitution] for step in DRIFT}
        role = SageMakerRole(self, "Jobs", images=images_of(json.loads(text))).role
        permit(
            role,
            *analysis_code.reading(),
            *drift_job_permissions(self, workload, bucket=bucket, key=key),
        )
        workflow = TrainingWorkflow(
            self,
            "Workflow",
            name=layout.state_machine_name(workload, "drift"),
            key=key,
            definition=definition,
            substitutions={
                **functions,
                Substitution.PARTITION: Stack.of(self).partition,
                Substitution.JOB_ROLE_ARN: role.role_arn,
                Substitution.KMS_KEY_ARN: shared.data_key_arn,
                Substitution.ANALYSIS_CODE_URI: analysis_code.uri,
            },
            purpose=f"Watches what the model of {workload} predicts from",
        )
        permit(
            workflow.role,
            *drift_workflow_permissions(
                self, workload=workload, functions=list(functions.values()), job_role=role, key=key
            ),
        )
        self.state_machine_arn = workflow.state_machine.state_machine_arn
        TrainingSchedule(
            self,
            "Schedule",
            state_machine_arn=self.state_machine_arn,
            expression=drift.schedule,
            role_arn=shared.schedule_role_arn,
            lost_starts_arn=shared.lost_starts_arn,
        )
        DriftAlarm(self, "Alarm", workload=workload, ndcg_at_least=drift.ndcg_at_least, topic=topic)


def drift_job_permissions(
    scope: Construct, workload: str, *, bucket: s3.IBucket, key: kms.IKey
) -> Iterator[Permission]:
    """Yield what the job that compares may do: read the sample and the training run, write the report."""
    runs, drift = layout.runs_of(workload), layout.drift_prefix(workload)
    yield read_objects(scope, bucket, f"{runs}*", f"{drift}*")
    yield write_objects(scope, bucket, f"{drift}*", in_parts=True)
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
