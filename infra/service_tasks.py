"""What runs behind the anomaly service's API: one state machine a task, and the role of their jobs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.model_code import ModelCode
from infra.constructs.sagemaker_role import SageMakerRole
from infra.constructs.training_workflow import TrainingWorkflow
from infra.definition_images import images_of
from infra.permissions import (
    Permission,
    lend_key,
    list_keys,
    pass_roles,
    permit,
    read_encrypted_objects,
    read_objects,
    register_models,
    run_jobs,
    sagemaker_arns,
    use_key,
    use_table,
    write_objects,
)
from infra.storage import StorageStack
from infra.training_permissions import SERVICE_MODELS
from pipeline.substitutions import Substitution
from watchkeeper.core import layout
from watchkeeper.service import job_names
from watchkeeper.service.tasks import Task
from watchkeeper.service.tenant_files import TENANTS

PURPOSES = {
    Task.TRAIN: "Trains a detector on a tenant's table",
    Task.VALID: "Measures a model on a tenant's labelled table",
    Task.INFER: "Judges a tenant's table",
}
JOB_REASON = "Each request makes names of its own; only the part before its id is known now."


class ServiceTasksStack(Stack):
    """The state machines of the service.

    Parameters
    ----------
    definitions
        File with the state machine of each task in the Amazon States Language.
    model_code
        The `.tar.gz` that the jobs and models run.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        definitions: Mapping[Task, Path],
        model_code: Path,
        storage: StorageStack,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        self._bucket, self._requests, self._key = storage.bucket, storage.requests, storage.key
        self._package_group = storage.service_models
        self._model_code = ModelCode(self, "ModelCode", archive=model_code)
        images = {image for path in definitions.values() for image in images_of(json.loads(path.read_text()))}
        job_role = self._job_role(images)
        self.state_machines: Mapping[Task, sfn.StateMachine] = {
            task: self._machine(task, definition, job_role) for task, definition in definitions.items()
        }

    def _machine(self, task: Task, definition: Path, job_role: iam.Role) -> sfn.StateMachine:
        substitutions = {
            Substitution.PARTITION: self.partition,
            Substitution.JOB_ROLE_ARN: job_role.role_arn,
            Substitution.MODEL_CODE_URI: self._model_code.uri,
            Substitution.MODEL_CODE_ARCHIVE_NAME: self._model_code.name,
            Substitution.KMS_KEY_ARN: self._key.key_arn,
            Substitution.MODEL_PACKAGE_GROUP_NAME: self._package_group,
            Substitution.REQUESTS_TABLE_NAME: self._requests.table_name,
        }
        used = definition.read_text()
        workflow = TrainingWorkflow(
            self,
            task.value.capitalize(),
            definition=definition,
            substitutions={name: value for name, value in substitutions.items() if name.placeholder in used},
            purpose=PURPOSES[task],
            key=self._key,
        )
        permit(
            workflow.role,
            _jobs(self, "ProcessingJob", "processing-job", job_names.JUDGE),
            use_table(self._requests, "UpdateItem"),
            use_key(self._key, "dynamodb"),
            pass_roles(job_role),
            *lend_key(self._key),
        )
        if task is Task.TRAIN:
            permit(
                workflow.role,
                _jobs(self, "TrainingJob", "training-job", job_names.SEARCH, job_names.FIT),
                register_models(self, self._package_group),
                # SageMaker looks at a package's artifact as who registers it.
                read_objects(self, self._bucket, SERVICE_MODELS),
                read_encrypted_objects(self._key),
            )
        CfnOutput(
            self,
            f"StateMachineArn{task.value.capitalize()}",
            value=workflow.state_machine.state_machine_arn,
        )
        return workflow.state_machine

    def _job_role(self, images: Iterable[str]) -> iam.Role:
        role = SageMakerRole(self, "Jobs", images=images).role
        permit(
            role,
            *self._model_code.reading(),
            # Models of the workloads' runs may be used by a request.
            read_objects(self, self._bucket, f"{TENANTS}/*", f"{layout.RUNS}/*"),
            write_objects(self, self._bucket, f"{TENANTS}/*", in_parts=True),
            list_keys(self._bucket, f"{TENANTS}/", f"{layout.RUNS}/"),
            use_key(self._key, "s3"),
            *lend_key(self._key),
        )
        return role


def _jobs(scope: Construct, kind: str, resource: str, *templates: str) -> Permission:
    names = map(job_names.of_any_request, templates)
    return run_jobs(kind, sagemaker_arns(scope, resource, names), JOB_REASON)
