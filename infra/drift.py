"""The attribution drift monitor of the regression workloads that ask for one; what it may do follows from the
calls that it makes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.alarms import DriftAlarm
from infra.constructs.alert_topic import AlertTopic
from infra.constructs.model_code import ModelCode
from infra.constructs.sagemaker_role import SageMakerRole
from infra.constructs.step_functions import StepFunctions, StepResources
from infra.constructs.training_schedule import TrainingSchedule
from infra.constructs.training_workflow import TrainingWorkflow
from infra.definition_images import images_of
from infra.naming import WORKLOAD_TAG, pascal_name
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
from pipeline.step import DRIFT
from pipeline.substitutions import Substitution
from watchkeeper.core import layout
from watchkeeper.regression.drift_runs import drift_run
from watchkeeper.spec import RegressionWorkload
from watchkeeper.spec.explaining import Drift


class DriftStack(Stack):
    """For each workload a state machine that compares, its schedule and its alarms.

    Parameters
    ----------
    watched
        Each workload with the settings of its monitor.
    definitions
        File with the state machine of each workload in the Amazon States Language.
    analysis_code
        The `.tar.gz` that the jobs run.
    dead_letters
        Starts that the scheduler could not deliver.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watched: Sequence[tuple[RegressionWorkload, Drift]],
        definitions: Mapping[str, Path],
        function_code: Path,
        analysis_code: Path,
        bucket: s3.IBucket,
        series: dynamodb.ITable,
        data_key: kms.IKey,
        alerts: AlertTopic,
        dead_letters: sqs.IQueue,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        self._bucket, self._key, self._alerts = bucket, data_key, alerts
        self._code = ModelCode(self, "AnalysisCode", archive=analysis_code)
        self._dead_letters = dead_letters
        self._functions = StepFunctions(
            self,
            DRIFT,
            code=function_code,
            workloads=[spec.name for spec, _ in watched],
            resources=StepResources(bucket=bucket, series=series, key=data_key),
        )
        for spec, drift in watched:
            self._watch(spec, drift, definitions[spec.name])

    def _watch(self, spec: RegressionWorkload, drift: Drift, definition: Path) -> None:
        suffix = pascal_name(spec.name)
        place = Construct(self, f"{suffix}Drift")
        Tags.of(place).add(WORKLOAD_TAG, spec.name)
        role = self._job_role(place, spec.name, definition)
        workflow = TrainingWorkflow(
            place,
            "Workflow",
            definition=definition,
            substitutions={
                **self._functions.substitutions,
                Substitution.PARTITION: self.partition,
                Substitution.JOB_ROLE_ARN: role.role_arn,
                Substitution.KMS_KEY_ARN: self._key.key_arn,
                Substitution.ANALYSIS_CODE_URI: self._code.uri,
            },
            purpose=f"Watches what the model of {spec.name} predicts from",
        )
        permit(
            workflow.role,
            *drift_workflow_permissions(
                place,
                workload=spec.name,
                functions=list(self._functions.substitutions.values()),
                job_role=role,
                key=self._key,
            ),
        )
        TrainingSchedule(
            place,
            "Schedule",
            state_machine=workflow.state_machine,
            expression=drift.schedule,
            dead_letters=self._dead_letters,
        )
        DriftAlarm(
            place,
            "Alarm",
            workload=spec.name,
            ndcg_at_least=drift.ndcg_at_least,
            state_machine=workflow.state_machine,
            topic=self._alerts.topic,
        )
        CfnOutput(self, f"DriftStateMachineArn{suffix}", value=workflow.state_machine.state_machine_arn)

    def _job_role(self, place: Construct, workload: str, definition: Path) -> iam.Role:
        images = images_of(json.loads(definition.read_text()))
        role = SageMakerRole(place, "Jobs", images=images).role
        permit(
            role,
            *self._code.reading(),
            *drift_job_permissions(place, workload, bucket=self._bucket, key=self._key),
        )
        return role


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
