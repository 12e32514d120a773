"""SageMaker jobs as the SageMaker SDK describes them: images, channels, encryption, isolation, tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import boto3
import sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.network import NetworkConfig
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor
from sagemaker.transformer import Transformer
from stepfunctions.steps import ProcessingStep, TrainingStep, TransformStep, integration_resources
from stepfunctions.steps.states import Task

from pipeline.contracts import path
from pipeline.images import SKLEARN, known_uri
from pipeline.packaging import (
    CODE_CHANNEL,
    PROCESSING_INPUT,
    PROCESSING_OUTPUT,
    processing_entrypoint,
    script_mode_hyperparameters,
    serving_environment,
)
from pipeline.settings import WorkflowSettings
from pipeline.substitutions import Substitution
from pipeline.tasks import JsonObject, SelectingTask, finish_job, formatted, spark_retries

ROWS_FILE = "rows.csv"
WHOLE_OUTPUT = "analysis_result"
"""The output that is a job's whole output folder, under Clarify's name for it."""

JOB_SECONDS = 4 * 3600
"""Longest time that a job may run; SageMaker stops it then."""
START_SECONDS = 1800
"""Time that the workflow allows for a job to find an instance and start."""
MAX_PAYLOAD_MEGABYTES = 6

# The SDK asks boto3 for the partition at each state, which takes a fifth of a second. `finish_job` writes
# every state's resource again, with CloudFormation's partition.
integration_resources.get_aws_partition = lambda: "aws"
# It makes a client for each training, too, for a TensorBoard that no job has.
sagemaker.estimator.TensorBoardApp = cache(sagemaker.estimator.TensorBoardApp)


@cache
def authoring_session(region: str) -> sagemaker.Session:
    """Return a session whose credentials are no credentials, made once: its clients take half a second."""
    nobody = "authoring"
    boto_session = boto3.Session(region_name=region, aws_access_key_id=nobody, aws_secret_access_key=nobody)
    return sagemaker.Session(boto_session=boto_session, default_bucket=nobody)


@dataclass(frozen=True)
class CodeArchive:
    """An archive that `pipeline.packaging` builds, as a training job is told of it."""

    uri: Substitution
    name: Substitution


MODEL_ARCHIVE = CodeArchive(Substitution.MODEL_CODE_URI, Substitution.MODEL_CODE_ARCHIVE_NAME)
FRAUD_ARCHIVE = CodeArchive(Substitution.FRAUD_CODE_URI, Substitution.FRAUD_CODE_ARCHIVE_NAME)


@dataclass(frozen=True)
class Jobs:
    """Makes the job states of one workload."""

    settings: WorkflowSettings

    @property
    def session(self) -> sagemaker.Session:
        """A session that authors only."""
        return authoring_session(self.settings.region)

    @property
    def sklearn_image(self) -> str:
        """The pre-built scikit-learn image."""
        return SKLEARN.uri(self.settings.region)

    @property
    def rcf_image(self) -> str:
        """The built-in Random Cut Forest image."""
        return known_uri("randomcutforest", self.settings.region)

    @property
    def clarify_image(self) -> str:
        """SageMaker Clarify's image."""
        return known_uri("clarify", self.settings.region)

    def processing(
        self,
        name: str,
        module: str | None,
        *,
        job_name: str,
        inputs: dict[str, str],
        outputs: dict[str, str],
        environment: JsonObject | None = None,
        code: Substitution = Substitution.MODEL_CODE_URI,
        isolated: bool = True,
        keep: JsonObject | None = None,
    ) -> Task:
        """Run `containers.MODULE` over S3 prefixes, each in the folder of its name.

        Parameters
        ----------
        module
            None runs SageMaker Clarify's image.
        outputs
            S3 prefix by folder; `WHOLE_OUTPUT` is the folder of all.
        code
            The archive that has the module.
        isolated
            Whether the job has no network.
        keep
            What the state keeps of the job's description.
        """
        packed = {"code": code.placeholder} if module else {}
        processor = Processor(
            image_uri=self.sklearn_image if module else self.clarify_image,
            role=Substitution.JOB_ROLE_ARN.placeholder,
            instance_count=1,
            instance_type=self.settings.job_instance,
            volume_kms_key=Substitution.KMS_KEY_ARN.placeholder,
            max_runtime_in_seconds=JOB_SECONDS,
            network_config=NetworkConfig(enable_network_isolation=isolated),
            env=environment or None,
            sagemaker_session=self.session,
        )
        step = ProcessingStep(
            name,
            processor=processor,
            job_name=job_name,
            inputs=[
                ProcessingInput(source=uri, destination=f"{PROCESSING_INPUT}/{folder}", input_name=folder)
                for folder, uri in {**packed, **inputs}.items()
            ],
            outputs=[
                ProcessingOutput(source=_output_folder(folder), destination=uri, output_name=folder)
                for folder, uri in outputs.items()
            ],
            container_entrypoint=processing_entrypoint(module) if module else None,
            kms_key_id=Substitution.KMS_KEY_ARN.placeholder,
            tags=self.tags,
        )
        return finish_job(
            step,
            "sagemaker:createProcessingJob",
            timeout_seconds=JOB_SECONDS + START_SECONDS,
            keep=keep,
        )

    def training(
        self,
        name: str,
        *,
        image: str,
        job_name: str,
        channels: dict[str, TrainingInput],
        output: str,
        hyperparameters: dict[str, str],
    ) -> Task:
        """Train with an image; the state keeps the location of the artifact."""
        estimator = Estimator(
            image_uri=image,
            role=Substitution.JOB_ROLE_ARN.placeholder,
            instance_count=1,
            instance_type=self.settings.job_instance,
            volume_kms_key=Substitution.KMS_KEY_ARN.placeholder,
            output_path=output,
            output_kms_key=Substitution.KMS_KEY_ARN.placeholder,
            max_run=JOB_SECONDS,
            hyperparameters=hyperparameters,
            enable_network_isolation=True,
            debugger_hook_config=False,
            disable_profiler=True,
            sagemaker_session=self.session,
        )
        step = TrainingStep(name, estimator=estimator, job_name=job_name, data=channels, tags=self.tags)
        step.fields["parameters"]["EnableNetworkIsolation"] = True  # the SDK's training step leaves it out
        return finish_job(
            step,
            "sagemaker:createTrainingJob",
            timeout_seconds=JOB_SECONDS + START_SECONDS,
            keep={"uri": "$.ModelArtifacts.S3ModelArtifacts"},
        )

    def script_mode_training(
        self,
        name: str,
        what: str,
        *,
        job_name: str,
        output: str,
        hyperparameters: Mapping[str, str],
        channels: Mapping[str, TrainingInput],
        code: CodeArchive = MODEL_ARCHIVE,
    ) -> Task:
        """Train by `train_WHAT.py` of a code archive, with the run's plan."""
        return self.training(
            name,
            image=self.sklearn_image,
            job_name=job_name,
            channels={
                **channels,
                "plan": channel(path("run.uris.plan"), "application/json"),
                CODE_CHANNEL: channel(code.uri.placeholder),
            },
            output=output,
            hyperparameters={**hyperparameters, **script_mode_hyperparameters(what, code.name.placeholder)},
        )

    def spark(self, name: str, *, job: str, arguments: Mapping[str, str]) -> Task:
        """Run a Glue job to its end; the arguments are those of this run."""
        task = SelectingTask(name, parameters={"JobName": job, "Arguments": dict(arguments)})
        return finish_job(
            task, "glue:startJobRun", timeout_seconds=JOB_SECONDS + START_SECONDS, retries=spark_retries()
        )

    def script_mode_container(self, what: str, artifact: str, *, accept: str) -> JsonObject:
        """Serve an artifact by `serve_WHAT.py`, which is in it."""
        return {
            "Image": self.sklearn_image,
            "ModelDataUrl": artifact,
            "Environment": dict(serving_environment(what, self.settings.region, accept=accept)),
        }

    def transform(self, name: str, *, model: str, job_name: str, rows: str, output: str, accept: str) -> Task:
        """Send every row of `rows.csv` under a prefix through a model; one line of output a row."""
        transformer = Transformer(
            model_name=model,
            instance_count=1,
            instance_type=self.settings.job_instance,
            strategy="MultiRecord",
            assemble_with="Line",
            accept=accept,
            max_payload=MAX_PAYLOAD_MEGABYTES,
            output_path=output,
            output_kms_key=Substitution.KMS_KEY_ARN.placeholder,
            volume_kms_key=Substitution.KMS_KEY_ARN.placeholder,
            sagemaker_session=self.session,
        )
        step = TransformStep(
            name,
            transformer=transformer,
            job_name=job_name,
            model_name=model,
            data=formatted(f"{{}}{ROWS_FILE}", rows),
            content_type="text/csv",
            split_type="Line",
            tags=self.tags,
        )
        return finish_job(step, "sagemaker:createTransformJob", timeout_seconds=JOB_SECONDS + START_SECONDS)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of everything that a run makes; `destroy` finds it by them."""
        return {"watchkeeper:workload": self.settings.workload, "watchkeeper:run": path("run.run_id")}

    @property
    def tag_list(self) -> list[JsonObject]:
        """The tags as a list of pairs."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]


def _output_folder(name: str) -> str:
    return PROCESSING_OUTPUT if name == WHOLE_OUTPUT else f"{PROCESSING_OUTPUT}/{name}"


def channel(uri: str, content_type: str | None = None, *, sharded: bool = False) -> TrainingInput:
    """Return a training channel that is copied to the job."""
    return TrainingInput(
        uri,
        content_type=content_type,
        distribution="ShardedByS3Key" if sharded else "FullyReplicated",
        input_mode="File",
    )
