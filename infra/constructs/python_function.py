"""A Lambda function of `lambdas/` with a role and a log group of its own."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.work_queue import WorkQueue
from infra.permissions import TRACE, Permission, permit, policy_of
from lambdas.runtime.typed_environment import TypedEnvironment
from pipeline.vendoring import LAMBDA

BATCH_SIZE = 10


def handler_of(environment: TypedEnvironment) -> str:
    """Return the entry point: `handle` in the environment's module, or in `handler` beside `environment`."""
    package, _, module = type(environment).__module__.rpartition(".")
    return f"{package}.{'handler' if module == 'environment' else module}.handle"


class PythonFunction(Construct):
    """One function of the shared bundle.

    Parameters
    ----------
    code
        Folder with the bundle of all functions.
    environment
        The function's typed environment; it tells where its entry point is.
    purpose
        One line for the AWS console.
    traced
        Whether X-Ray samples invocations that come without a decision: at least one a second.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: Path,
        environment: TypedEnvironment,
        purpose: str,
        memory_mb: int = 512,
        timeout_seconds: int = 60,
        traced: bool = True,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        permit(
            self.role,
            Permission(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
            ),
            TRACE,
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=purpose,
            runtime=lambda_.Runtime(f"python{LAMBDA.python}", lambda_.RuntimeFamily.PYTHON),
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(code)),
            handler=handler_of(environment),
            environment=environment.variables(),
            role=self.role.without_policy_updates(),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE if traced else lambda_.Tracing.PASS_THROUGH,
            memory_size=memory_mb,
            timeout=Duration.seconds(timeout_seconds),
        )
        self.function.node.add_dependency(policy_of(self.role))

    def consume(
        self,
        work: WorkQueue,
        *,
        max_concurrency: int,
        batch_size: int = BATCH_SIZE,
        batch_seconds: int | None = None,
    ) -> None:
        """Handle a queue's messages in batches, of which single messages may fail.

        Parameters
        ----------
        max_concurrency
            How many batches run at once, at least 2.
        batch_size
            Most messages of a batch. 1 where the order counts: what stands behind a failed message of its
            group in a batch uses up its attempts with it.
        batch_seconds
            How long a message waits for others, at least 1 for batches of more than 10; without it, not.
        """
        permit(
            self.role,
            Permission(
                actions=[
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:GetQueueUrl",
                    "sqs:ChangeMessageVisibility",
                ],
                resources=[work.queue.queue_arn],
            ),
        )
        self.function.add_event_source(
            event_sources.SqsEventSource(
                work.queue,
                batch_size=batch_size,
                max_batching_window=None if batch_seconds is None else Duration.seconds(batch_seconds),
                report_batch_item_failures=True,
                max_concurrency=max_concurrency,
            )
        )
