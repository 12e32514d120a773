"""Models of the anomaly service that a workload may serve: the approved ones of its model package group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from lambdas.adapters.errors import code_of, translated
from lambdas.adapters.object_store import ObjectUri
from lambdas.adapters.sagemaker_resources import ABSENT
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.kinds import AnyPlan

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

APPROVED = "Approved"
REGISTERED = "registered"
"""The `detector.algorithm` that serves one of them."""


@dataclass(frozen=True)
class RegisteredModel:
    """One version of the service's model package group."""

    approval: str
    """`Approved`, `PendingManualApproval` or `Rejected`."""
    artifact: ObjectUri


class RegisteredModels(Protocol):
    """The service's models by version."""

    def of_version(self, version: int) -> RegisteredModel | None:
        """Return a version; None if there is none."""


@dataclass(frozen=True)
class SageMakerRegisteredModels:
    """`RegisteredModels` in SageMaker's model registry."""

    client: SageMakerClient
    packages_arn: str
    """ARN of a version without the version."""

    def of_version(self, version: int) -> RegisteredModel | None:
        """Return a version; see `RegisteredModels.of_version`."""
        arn = f"{self.packages_arn}/{version}"
        with translated(f"describe model package {arn}"):
            try:
                package: Any = self.client.describe_model_package(ModelPackageName=arn)
            except ClientError as error:
                if code_of(error) in ABSENT:
                    return None
                raise
        (container,) = package["InferenceSpecification"]["Containers"]
        return RegisteredModel(
            package["ModelApprovalStatus"], ObjectUri.of_model_data(container["ModelDataUrl"])
        )


def registered_artifact(plan: AnyPlan, bucket: str, models: RegisteredModels) -> str:
    """Return the location of the model that a workload serves instead of training one; else an empty text.

    Raises
    ------
    InvalidInputError
        If there is no such version, or it is not approved.
    """
    if not isinstance(plan, WorkloadPlan) or plan.detector.algorithm != REGISTERED:
        return ""
    version = int(plan.detector.hyperparameters["version"])
    where = f"workload {plan.workload}: detector.version is {version}"
    found = models.of_version(version)
    if found is None or found.artifact.bucket != bucket:
        raise InvalidInputError(
            f"{where}: the anomaly service has registered no such model; `watchkeeper models` lists them"
        )
    if found.approval != APPROVED:
        raise InvalidInputError(
            f"{where}: this model is {found.approval}, not {APPROVED}: look at its quality with "
            f"`watchkeeper models`, then `watchkeeper approve {version}`"
        )
    return str(found.artifact)
