"""What SageMaker assumes to run a workload's jobs and to serve its models."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.permissions import Permission, assumed_by, permit

METRIC_NAMESPACES = ["/aws/sagemaker/*", "aws/sagemaker/*", "AWS/SageMaker"]


class SageMakerRole(Construct):
    """A role that may write its jobs' logs and metrics and pull the named images; the stack grants the data.

    Parameters
    ----------
    images
        Image URIs of private registries, `ACCOUNT.dkr.ecr.REGION.SUFFIX/REPOSITORY:TAG`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, images: Iterable[str]) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.role = iam.Role(self, "Role", assumed_by=assumed_by(self, "sagemaker"))
        permit(
            self.role,
            # As SageMaker documents its execution roles.
            Permission(
                actions=[
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:DescribeLogStreams",
                    "logs:PutLogEvents",
                ],
                resources=[
                    stack.format_arn(service="logs", resource="log-group:/aws/sagemaker/*"),
                ],
                reason="SageMaker names the log groups and streams of jobs and endpoints itself.",
            ),
            Permission(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringLike": {"cloudwatch:namespace": METRIC_NAMESPACES}},
                reason="CloudWatch has no resource to name here; the condition names SageMaker's namespaces.",
            ),
            Permission(
                actions=[
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                ],
                resources=sorted({_repository_arn(stack, image) for image in images}),
            ),
            Permission(
                actions=["ecr:GetAuthorizationToken"],
                resources=["*"],
                reason="ECR's token is for the whole registry; there is no resource to name.",
            ),
        )


def _repository_arn(stack: Stack, image: str) -> str:
    registry, _, repository = image.partition("/")
    account, _, _, region, *_ = registry.split(".")
    return f"arn:{stack.partition}:ecr:{region}:{account}:repository/{repository.partition(':')[0]}"
