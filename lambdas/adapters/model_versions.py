"""The versions of a workload's model package group: what was registered, whether it is approved, by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lambdas.adapters.errors import unless
from lambdas.adapters.sagemaker_resources import ABSENT, SageMakerControlPlane
from lambdas.runtime.threads import ForEach, in_threads
from watchkeeper.core import layout
from watchkeeper.core.timestamps import format_instant

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Approval = Literal["pending", "approved", "rejected"]
APPROVALS: dict[str, Approval] = {
    "PendingManualApproval": "pending",
    "Approved": "approved",
    "Rejected": "rejected",
}
"""By SageMaker's words."""


@dataclass(frozen=True)
class ModelVersion:
    """One version of a group."""

    version: int
    arn: str
    approval: Approval
    said: str | None
    """Why it is approved or rejected."""
    created_at: str
    """ISO 8601, UTC."""
    run_id: str | None
    """Of the training that registered it."""
    artifacts: tuple[str, ...]
    """`s3://` locations of its containers' files, in the order in which these are asked."""


class ModelVersions(Protocol):
    """Versions of workloads' models."""

    def listed(self, workload: str, most: int, cursor: str | None) -> tuple[list[ModelVersion], str | None]:
        """Return versions, the newest first, and where the next part begins."""

    def found(self, workload: str, version: int) -> ModelVersion | None:
        """Return one version."""

    def rejected(self, workload: str) -> frozenset[str]:
        """Return the ARNs of the versions that are rejected."""

    def judge(self, arn: str, *, approved: bool, reason: str) -> None:
        """Approve or reject a version, and say why."""


@dataclass(frozen=True)
class SageMakerModelVersions:
    """`ModelVersions` in SageMaker's model registry.

    Parameters
    ----------
    packages_arn
        ARN of a version without its group and number.
    """

    client: SageMakerClient
    packages_arn: str
    for_each: ForEach = in_threads

    def listed(self, workload: str, most: int, cursor: str | None) -> tuple[list[ModelVersion], str | None]:
        from_there: dict[str, Any] = {"NextToken": cursor} if cursor else {}
        page = unless(
            ABSENT,
            f"list the models of {workload}",
            lambda: self.client.list_model_packages(
                ModelPackageGroupName=layout.endpoint_name(workload),
                SortBy="CreationTime",
                SortOrder="Descending",
                MaxResults=most,
                **from_there,
            ),
        )
        if page is None:
            return [], None
        # a summary has neither the run nor why it is approved
        arns = [summary["ModelPackageArn"] for summary in page["ModelPackageSummaryList"]]
        found = self.for_each(self._described, arns)
        return [each for each in found if each is not None], page.get("NextToken")

    def found(self, workload: str, version: int) -> ModelVersion | None:
        return self._described(f"{self.packages_arn}/{layout.endpoint_name(workload)}/{version}")

    def rejected(self, workload: str) -> frozenset[str]:
        return rejected_versions(self.client, workload)

    def judge(self, arn: str, *, approved: bool, reason: str) -> None:
        SageMakerControlPlane(self.client).judge_package(arn, approved=approved, reason=reason)

    def _described(self, arn: str) -> ModelVersion | None:
        package: Any = unless(
            ABSENT,
            f"describe model package {arn}",
            lambda: self.client.describe_model_package(ModelPackageName=arn),
        )
        if package is None:
            return None
        properties = package.get("CustomerMetadataProperties", {})
        containers = package.get("InferenceSpecification", {}).get("Containers", [])
        return ModelVersion(
            version=package["ModelPackageVersion"],
            arn=package["ModelPackageArn"],
            approval=APPROVALS[package["ModelApprovalStatus"]],
            said=package.get("ApprovalDescription") or None,
            created_at=format_instant(package["CreationTime"].replace(microsecond=0)),
            run_id=properties.get("run"),
            artifacts=tuple(each["ModelDataUrl"] for each in containers if each.get("ModelDataUrl")),
        )


def rejected_versions(client: SageMakerClient, workload: str) -> frozenset[str]:
    """Return the ARNs of the versions of a workload's model that are rejected."""
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=layout.endpoint_name(workload), ModelApprovalStatus="Rejected"
    )

    def arns() -> frozenset[str]:
        return frozenset(
            each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]
        )

    return unless(ABSENT, f"list the rejected models of {workload}", arns) or frozenset()
