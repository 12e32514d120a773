"""Operations that a resumed execution sends again after a restart of the server, and quotas."""

from pathlib import Path
from typing import Any

import pytest

from localcloud.sagemaker.api import Api
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.endpoints import EndpointSupervisor
from localcloud.sagemaker.errors import (
    InUseError,
    InvalidRequestError,
    JobFailedError,
    SageMakerError,
    UnsupportedError,
)
from localcloud.sagemaker.jobs import JobSupervisor
from localcloud.sagemaker.kinds import ENDPOINT, TRAINING_JOB, Kind
from localcloud.sagemaker.kinds import MODEL as MODEL_KIND
from localcloud.sagemaker.limits import require_endpoint_quota
from localcloud.sagemaker.logs import LogSender
from localcloud.sagemaker.metrics import MetricSender
from localcloud.sagemaker.shapes import service_model
from localcloud.settings import Settings

ROLE = "arn:aws:iam::123456789012:role/test-role"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/test:1"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:machine:one"
OTHER = "arn:aws:states:us-east-1:123456789012:execution:machine:two"

JOB = {
    "TrainingJobName": "job",
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
MODEL = {"ModelName": "model", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}}


class NoJobs(JobSupervisor):
    """Remembers what was started and runs nothing."""

    def start(self, kind: Kind, name: str) -> None:
        started.append((kind.resource, name))


started: list[tuple[str, str]] = []


def no_image(uri: str) -> Any:
    raise JobFailedError(uri)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    started.clear()
    return Context(Settings(home=tmp_path), no_image)


def api(context: Context, *, restarted_at: float | None = None) -> Api:
    logs, metrics = LogSender(context), MetricSender(context)
    made = Api(context, NoJobs(context, logs, metrics, {}), EndpointSupervisor(context, logs))
    if restarted_at is not None:
        made._started_at = restarted_at
    return made


@pytest.fixture
def after_restart(context: Context) -> Api:
    before = api(context)
    before.call("CreateTrainingJob", JOB, EXECUTION)
    before.call("CreateModel", MODEL, EXECUTION)
    created = context.store.get(MODEL_KIND, "model")["CreationTime"]
    return api(context, restarted_at=created + 1)


def test_resumed_execution_is_joined_to_the_job_that_it_had_started(after_restart: Api) -> None:
    answer = after_restart.call("CreateTrainingJob", JOB, EXECUTION)
    assert answer == {"TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job"}
    assert started == [("TrainingJob", "job")]
    assert after_restart.call("CreateModel", MODEL, EXECUTION)["ModelArn"].endswith("model/model")


def test_resumed_execution_registers_no_second_version(context: Context) -> None:
    before = api(context)
    before.call("CreateModelPackageGroup", {"ModelPackageGroupName": "group"})
    request = {
        "ModelPackageGroupName": "group",
        "InferenceSpecification": {"Containers": [{"Image": IMAGE}], "SupportedContentTypes": ["text/csv"]},
    }
    first = before.call("CreateModelPackage", request, EXECUTION)
    restarted = api(context, restarted_at=before._started_at + 60)
    assert restarted.call("CreateModelPackage", request, EXECUTION) == first
    assert restarted.call("CreateModelPackage", request, OTHER) != first


@pytest.mark.parametrize("owner", [OTHER, None])
def test_anybody_else_is_refused_the_name_after_a_restart(after_restart: Api, owner: str | None) -> None:
    with pytest.raises(InUseError):
        after_restart.call("CreateTrainingJob", JOB, owner)
    with pytest.raises(InvalidRequestError, match="already existing model"):
        after_restart.call("CreateModel", MODEL, owner)


def test_execution_that_was_not_interrupted_is_refused_its_own_name(context: Context) -> None:
    running = api(context)
    running.call("CreateTrainingJob", JOB, EXECUTION)
    with pytest.raises(InUseError):
        running.call("CreateTrainingJob", JOB, EXECUTION)


def test_every_operation_that_is_not_in_the_table_is_refused_by_name(context: Context) -> None:
    running = api(context)
    missing = set(service_model().operation_names) - set(running.operations)
    assert "CreateHyperParameterTuningJob" in missing
    for operation in sorted(missing):
        with pytest.raises(UnsupportedError, match=operation):
            running.call(operation, {})


def test_every_operation_of_the_table_is_one_of_aws(context: Context) -> None:
    assert set(api(context).operations) <= set(service_model().operation_names)


def new_account(tmp_path: Path) -> Context:
    started.clear()
    return Context(Settings(home=tmp_path, account_age="new"), no_image)


def test_a_job_beyond_the_quota_of_its_instance_is_refused_in_the_words_of_aws(tmp_path: Path) -> None:
    context = new_account(tmp_path)
    with pytest.raises(SageMakerError, match=r"'ml.m5.large for training job usage' is 0 Instances") as info:
        api(context).call("CreateTrainingJob", JOB)

    assert info.value.code == "ResourceLimitExceeded"
    assert started == []


def test_a_granted_increase_is_used_up_by_jobs_that_run(tmp_path: Path) -> None:
    context = new_account(tmp_path)
    asked = {"ServiceCode": "sagemaker", "QuotaCode": "L-611FA074", "DesiredValue": 1}
    context.quotas.call("RequestServiceQuotaIncrease", asked)
    running = api(context)
    running.call("CreateTrainingJob", JOB)

    with pytest.raises(SageMakerError, match=r"current utilization of 1 Instances and a request delta of 1"):
        running.call("CreateTrainingJob", {**JOB, "TrainingJobName": "second"})

    with context.store.edit(TRAINING_JOB, "job") as job:
        job["TrainingJobStatus"] = "Completed"
    running.call("CreateTrainingJob", {**JOB, "TrainingJobName": "second"})
    assert [name for _, name in started] == ["job", "second"]


def test_an_endpoint_update_needs_room_for_a_second_fleet(tmp_path: Path) -> None:
    context = new_account(tmp_path)
    for code, value in (("L-614B09FD", 1), ("L-7A3DF611", 2)):
        asked = {"ServiceCode": "sagemaker", "QuotaCode": code, "DesiredValue": value}
        context.quotas.call("RequestServiceQuotaIncrease", asked)
    variant = {"VariantName": "v", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    plan: dict[str, Any] = {"variants": [variant], "configuration": "c", "capture": None}
    require_endpoint_quota(context, plan)
    context.store.add(ENDPOINT, "e", {"EndpointName": "e", "EndpointStatus": "InService", "_plan": plan})

    with pytest.raises(SageMakerError, match=r"'ml.m5.large for endpoint usage' is 1 Instances"):
        require_endpoint_quota(context, plan)
