"""Where the models of a workload, or of the anomaly service, are registered."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct


class PackageGroup(sagemaker.CfnModelPackageGroup):
    """A model package group that goes with its stack.

    SageMaker deletes no group that has packages. One that stayed would bar the next deployment.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, description: str) -> None:
        super().__init__(
            scope, construct_id, model_package_group_name=name, model_package_group_description=description
        )
        self.apply_removal_policy(RemovalPolicy.DESTROY)
