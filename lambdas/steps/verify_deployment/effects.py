"""What `verify_deployment` reads."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.adapters import clients as aws_clients
from lambdas.adapters.sagemaker_resources import SageMakerControlPlane, SageMakerResources


@dataclass(frozen=True)
class VerificationEffects:
    """Everything outside of `verify_deployment`."""

    resources: SageMakerResources

    @classmethod
    def in_aws(cls) -> VerificationEffects:
        """Return the effects in AWS."""
        return cls(resources=SageMakerControlPlane(aws_clients.sagemaker()))
