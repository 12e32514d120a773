"""What the training workflow made in SageMaker, as its own functions see and remove it.

SageMaker answers `ValidationException` both for a name that does not exist and for a request that it refuses.
Names come from `watchkeeper.lifecycle.run` and are valid, so describing one tells whether it exists, and
nothing is
deleted that was not described first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lambdas.adapters.errors import translated, unless

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

ABSENT = frozenset({"ValidationException", "ResourceNotFound"})
"""Error codes of a name that does not exist."""
MAX_APPROVAL_DESCRIPTION = 1024


@dataclass(frozen=True)
class EndpointDescription:
    """What SageMaker says of an endpoint."""

    status: str
    endpoint_config: str
    failure_reason: str
    weights: dict[str, float]
    """Current weight of each production variant."""


class SageMakerResources(Protocol):
    """Models, endpoint configurations and endpoints by name. Removing tells whether there was one."""

    def model_exists(self, name: str) -> bool:
        """Tell whether the model exists."""

    def endpoint(self, name: str) -> EndpointDescription | None:
        """Describe an endpoint; None if it does not exist."""

    def configured_weights(self, endpoint_config: str) -> dict[str, float] | None:
        """Return the weight that a configuration asks of each variant; None if it does not exist."""

    def update_endpoint(self, name: str, endpoint_config: str) -> None:
        """Begin to move an endpoint to another configuration."""

    def judge_package(self, arn: str, *, approved: bool, reason: str) -> None:
        """Approve or reject a registered model package, and say why."""

    def remove_model(self, name: str) -> bool:
        """Delete a model."""

    def remove_endpoint_config(self, name: str) -> bool:
        """Delete an endpoint configuration."""

    def remove_endpoint(self, name: str) -> bool:
        """Delete an endpoint."""


@dataclass(frozen=True)
class SageMakerControlPlane:
    """`SageMakerResources` in SageMaker."""

    client: SageMakerClient

    def model_exists(self, name: str) -> bool:
        described = unless(
            ABSENT, f"describe model {name}", lambda: self.client.describe_model(ModelName=name)
        )
        return described is not None

    def endpoint(self, name: str) -> EndpointDescription | None:
        found = unless(
            ABSENT, f"describe endpoint {name}", lambda: self.client.describe_endpoint(EndpointName=name)
        )
        if found is None:
            return None
        return EndpointDescription(
            status=found["EndpointStatus"],
            endpoint_config=found["EndpointConfigName"],
            failure_reason=found.get("FailureReason", ""),
            weights={
                variant["VariantName"]: float(variant.get("CurrentWeight", 0.0))
                for variant in found.get("ProductionVariants", [])
            },
        )

    def configured_weights(self, endpoint_config: str) -> dict[str, float] | None:
        found = unless(
            ABSENT,
            f"describe endpoint configuration {endpoint_config}",
            lambda: self.client.describe_endpoint_config(EndpointConfigName=endpoint_config),
        )
        if found is None:
            return None
        return {
            variant["VariantName"]: float(variant.get("InitialVariantWeight", 1.0))
            for variant in found["ProductionVariants"]
        }

    def update_endpoint(self, name: str, endpoint_config: str) -> None:
        with translated(f"update endpoint {name} to {endpoint_config}"):
            self.client.update_endpoint(EndpointName=name, EndpointConfigName=endpoint_config)

    def judge_package(self, arn: str, *, approved: bool, reason: str) -> None:
        """Approve or reject a registered model package, and say why."""
        with translated(f"update model package {arn}"):
            self.client.update_model_package(
                ModelPackageArn=arn,
                ModelApprovalStatus="Approved" if approved else "Rejected",
                ApprovalDescription=" ".join(reason.split())[:MAX_APPROVAL_DESCRIPTION],
            )

    def remove_model(self, name: str) -> bool:
        if not self.model_exists(name):
            return False
        with translated(f"delete model {name}"):
            self.client.delete_model(ModelName=name)
        return True

    def remove_endpoint_config(self, name: str) -> bool:
        if self.configured_weights(name) is None:
            return False
        with translated(f"delete endpoint configuration {name}"):
            self.client.delete_endpoint_config(EndpointConfigName=name)
        return True

    def remove_endpoint(self, name: str) -> bool:
        if self.endpoint(name) is None:
            return False
        with translated(f"delete endpoint {name}"):
            self.client.delete_endpoint(EndpointName=name)
        return True
