"""Models of streaming workloads that a request may name: the approved packages of the model registry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from lambdas.adapters.errors import code_of, translated
from lambdas.adapters.object_store import ObjectUri
from lambdas.adapters.sagemaker_resources import ABSENT
from watchkeeper.core import layout

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

_REGISTERED = re.compile(r"registry/([a-z][a-z0-9_]*)(?:/([1-9][0-9]*))?")


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
        """Return where a version's artifact is; see `ModelRegistry.model_uri`."""
        with translated(f"look for the models of {workload}"):
            try:
                arn = self._approved(layout.endpoint_name(workload), version)
                if arn is None:
                    return None
                package: Any = self.client.describe_model_package(ModelPackageName=arn)
            except ClientError as error:
                if code_of(error) in ABSENT:
                    return None
                raise
        return ObjectUri.of_model_data(package["InferenceSpecification"]["Containers"][-1]["ModelDataUrl"])

    def _approved(self, group: str, version: int | None) -> str | None:
        pages = self.client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group,
            ModelApprovalStatus="Approved",
            SortBy="CreationTime",
            SortOrder="Descending",
        )
        for page in pages:
            for package in page["ModelPackageSummaryList"]:
                if version is None or package.get("ModelPackageVersion") == version:
                    return package["ModelPackageArn"]
        return None
