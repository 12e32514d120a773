"""Models of the model registry that another part may use: of the anomaly service's a workload, and of a
workload's a request of the service; the approved ones only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from lambdas.adapters.errors import unless
from lambdas.adapters.object_store import ObjectUri
from lambdas.adapters.sagemaker_resources import ABSENT
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.kinds import AnyPlan

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

_REGISTERED = re.compile(r"registry/([a-z][a-z0-9_]*)(?:/([1-9][0-9]*))?")
APPROVED: Final = "Approved"
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
        arn = f"{self.packages_arn}/{version}"
        return _described(self.client, arn, f"describe model package {arn}")


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


class ModelRegistry(Protocol):
    """Approved models by workload."""

    def model_uri(self, workload: str, version: int | None) -> ObjectUri | None:
        """Return where an approved version's artifact is, or that of the newest; None if there is none."""


def registered_model(path: str) -> tuple[str, int | None] | None:
    """Return workload and version of `registry/WORKLOAD[/VERSION]`, or None for another path.

    Examples
    --------
    >>> registered_model("registry/water_flow/3")
    ('water_flow', 3)
    >>> registered_model("project/file/model.tar.gz")
    """
    match = _REGISTERED.fullmatch(path)
    return (match[1], int(match[2]) if match[2] else None) if match else None


@dataclass(frozen=True)
class SageMakerModelRegistry:
    """`ModelRegistry` in SageMaker."""

    client: SageMakerClient

    def model_uri(self, workload: str, version: int | None) -> ObjectUri | None:
        doing = f"look for the models of {workload}"
        arn = unless(ABSENT, doing, lambda: self._approved(layout.endpoint_name(workload), version))
        found = _described(self.client, arn, doing) if arn else None
        return found.artifact if found else None

    def _approved(self, group: str, version: int | None) -> str | None:
        pages = self.client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group,
            ModelApprovalStatus=APPROVED,
            SortBy="CreationTime",
            SortOrder="Descending",
        )
        for page in pages:
            for package in page["ModelPackageSummaryList"]:
                if version is None or package.get("ModelPackageVersion") == version:
                    return package["ModelPackageArn"]
        return None


def _described(client: SageMakerClient, arn: str, doing: str) -> RegisteredModel | None:
    package: Any = unless(ABSENT, doing, lambda: client.describe_model_package(ModelPackageName=arn))
    if package is None:
        return None
    # the last container scores; one before it prepares rows
    artifact = package["InferenceSpecification"]["Containers"][-1]["ModelDataUrl"]
    return RegisteredModel(package["ModelApprovalStatus"], ObjectUri.of_model_data(artifact))
