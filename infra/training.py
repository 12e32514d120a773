"""The training loop: one state machine a workload, and what its states use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.alarms import RollbackAlarms
from infra.constructs.alert_topic import AlertTopic
from infra.constructs.model_code import ModelCode
from infra.constructs.plan_parameter import PlanParameter
from infra.constructs.sagemaker_role import SageMakerRole
from infra.constructs.step_functions import StepFunctions, StepResources
from infra.constructs.training_schedule import TrainingSchedule
from infra.constructs.training_workflow import TrainingWorkflow
from infra.constructs.work_queue import DeadLetterQueue
from infra.definition_images import images_of
from infra.naming import WORKLOAD_TAG, pascal_name
from infra.permissions import Permission, permit, statement
from infra.training_permissions import (
    adoption_permissions,
    explain_permissions,
    job_permissions,
    model_permissions,
    workflow_permissions,
)
from pipeline.step import EXPLAINING, TRAINING, VALIDATE_INPUT
from pipeline.substitutions import Substitution
from watchkeeper.core import layout
from watchkeeper.spec import AnomalyWorkload, RegressionWorkload, WorkloadSpec
from watchkeeper.spec.detection import RegisteredDetector


@dataclass(frozen=True)
class WorkloadTraining:
    """What other stacks refer to of one workload's training."""

    workflow: TrainingWorkflow
    rollback: RollbackAlarms


class TrainingStack(Stack):
    """The workflow of each workload, its functions, its roles, its schedule and its plan.

    Parameters
    ----------
    definitions
        File with the state machine of each workload in the Amazon States Language.
    model_code
        The `.tar.gz` that the jobs and models run.
    analysis_code
        The `.tar.gz` that the explain jobs run.
    package_groups
        Name of each workload's model package group.
    service_models
        Name of the model package group of the anomaly service.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workloads: Sequence[WorkloadSpec],
        definitions: Mapping[str, Path],
        function_code: Path,
        model_code: Path,
        analysis_code: Path,
        package_groups: Mapping[str, str],
        service_models: str,
        bucket: s3.IBucket,
        series: dynamodb.ITable,
        data_key: kms.IKey,
        alerts: AlertTopic,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        self._bucket, self._key, self._alerts = bucket, data_key, alerts
        self._package_groups = package_groups
        self._model_code = ModelCode(self, "ModelCode", archive=model_code)
        self.dead_letters = DeadLetterQueue(self, "ScheduleDeadLetters").queue
        functions = Construct(self, "Functions")
        resources = StepResources(bucket=bucket, series=series, key=data_key, service_models=service_models)
        names = [spec.name for spec in workloads]
        self._functions = StepFunctions(
            functions, TRAINING, code=function_code, workloads=names, resources=resources
        )
        explained = [spec.name for spec in workloads if _explains(spec)]
        self._explaining = StepFunctions(
            functions,
            EXPLAINING if explained else (),
            code=function_code,
            workloads=explained,
            resources=resources,
        )
        self._analysis_code = ModelCode(self, "AnalysisCode", archive=analysis_code) if explained else None
        self.workloads = {spec.name: self._add(spec, definitions[spec.name]) for spec in workloads}
        self._let_validation_see_other_runs()

    def _add(self, spec: WorkloadSpec, definition: Path) -> WorkloadTraining:
        place = Construct(self, pascal_name(spec.name))
        Tags.of(place).add(WORKLOAD_TAG, spec.name)
        plan = PlanParameter(place, "Plan", plan=spec.plan())
        alarms = RollbackAlarms(
            place,
            "Rollback",
            endpoint_name=layout.endpoint_name(spec.name),
            errors_per_minute=spec.endpoint.rollback.server_errors_per_minute,
            latency_milliseconds=spec.endpoint.rollback.latency_milliseconds,
            topic=self._alerts.topic,
        )
        job_role, model_role = self._roles(place, spec, images_of(json.loads(definition.read_text())), alarms)
        functions = dict(self._functions.substitutions)
        if _explains(spec):
            functions |= self._explaining.substitutions
        group = self._package_groups[spec.name]
        workflow = TrainingWorkflow(
            place,
            "Workflow",
            definition=definition,
            substitutions={
                **self._shared_substitutions(),
                **functions,
                **self._analysis_substitutions(spec),
                Substitution.JOB_ROLE_ARN: job_role.role_arn,
                Substitution.MODEL_ROLE_ARN: model_role.role_arn,
                Substitution.MODEL_PACKAGE_GROUP_NAME: group,
                Substitution.ENDPOINT_ERRORS_ALARM_NAME: alarms.errors.alarm_name,
                Substitution.ENDPOINT_LATENCY_ALARM_NAME: alarms.latency.alarm_name,
            },
            purpose=f"Trains, judges and deploys the model of {spec.name}",
        )
        # The definition insists on its plan.
        workflow.node.add_dependency(plan)
        permit(
            workflow.role,
            *workflow_permissions(
                place,
                workload=spec.name,
                kind=spec.kind,
                functions=list(functions.values()),
                roles=[job_role, model_role],
                package_group=group,
                bucket=self._bucket,
                key=self._key,
                alarms=[alarms.errors, alarms.latency],
            ),
            *self._alerts.publishing(),
        )
        if spec.training.schedule is not None:
            TrainingSchedule(
                place,
                "Schedule",
                state_machine=workflow.state_machine,
                expression=spec.training.schedule,
                dead_letters=self.dead_letters,
            )
        suffix = pascal_name(spec.name)
        CfnOutput(self, f"StateMachineArn{suffix}", value=workflow.state_machine.state_machine_arn)
        CfnOutput(self, f"ModelPackageGroup{suffix}", value=group)
        return WorkloadTraining(workflow=workflow, rollback=alarms)

    def _roles(
        self, place: Construct, spec: WorkloadSpec, images: Iterable[str], alarms: RollbackAlarms
    ) -> tuple[iam.Role, iam.Role]:
        sources = [layout.history_prefix(spec.name)]
        if isinstance(spec, AnomalyWorkload):
            sources.append(layout.raw_prefix(spec.name))
        job_role = SageMakerRole(place, "Jobs", images=images).role
        model_role = SageMakerRole(place, "Models", images=images).role
        permit(
            job_role,
            *self._model_code.reading(),
            *job_permissions(place, workload=spec.name, sources=sources, bucket=self._bucket, key=self._key),
        )
        if isinstance(spec, AnomalyWorkload) and isinstance(spec.detector, RegisteredDetector):
            permit(job_role, *adoption_permissions(place, bucket=self._bucket))
        if isinstance(spec, RegressionWorkload) and _explains(spec):
            explain = spec.plan().explain
            if self._analysis_code and explain.engine == "watchkeeper":
                permit(job_role, *self._analysis_code.reading())
            permit(job_role, *explain_permissions(place, explain, workload=spec.name))
        permit(
            model_role,
            *model_permissions(
                place,
                workload=spec.name,
                bucket=self._bucket,
                key=self._key,
                alarms=[alarms.errors, alarms.latency],
            ),
        )
        return job_role, model_role

    def _shared_substitutions(self) -> dict[str, str]:
        return {
            Substitution.PARTITION: self.partition,
            Substitution.MODEL_CODE_URI: self._model_code.uri,
            Substitution.MODEL_CODE_ARCHIVE_NAME: self._model_code.name,
            Substitution.KMS_KEY_ARN: self._key.key_arn,
            Substitution.NOTIFICATION_TOPIC_ARN: self._alerts.topic.topic_arn,
        }

    def _analysis_substitutions(self, spec: WorkloadSpec) -> dict[str, str]:
        if (
            self._analysis_code
            and isinstance(spec, RegressionWorkload)
            and spec.explain.engine == "watchkeeper"
        ):
            return {Substitution.ANALYSIS_CODE_URI: self._analysis_code.uri}
        return {}

    def _let_validation_see_other_runs(self) -> None:
        # A policy of its own: in the role's, function and state machine would wait for each other.
        executions = Permission(
            actions=["states:ListExecutions"],
            resources=[each.workflow.state_machine.state_machine_arn for each in self.workloads.values()],
        )
        iam.Policy(
            self,
            "SeeOtherRuns",
            roles=[self._functions.by_step[VALIDATE_INPUT.name].role],
            statements=[statement(executions)],
        )


def _explains(spec: WorkloadSpec) -> bool:
    return isinstance(spec, RegressionWorkload) and spec.explain.engine != "none"
