"""What the workflows of all workloads share: the functions that states call, and the role of schedules."""

from __future__ import annotations

from typing import Any

from aws_cdk import ArnFormat, CfnOutput, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.bundles import Bundles
from infra.constructs.event_subscription import KeptEvents, ended_badly
from infra.constructs.step_functions import StepFunctions, StepResources
from infra.constructs.work_queue import DeadLetterQueue
from infra.permissions import WORKLOAD_REASON, Permission, assumed_by, permit
from infra.storage import StorageStack
from pipeline.step import EVERY_STEP, VALIDATE_INPUT
from watchkeeper.core import layout


class TrainingStack(Stack):
    """The functions of every workflow, the role of their schedules, and the queues of what went wrong."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bundles: Bundles,
        storage: StorageStack,
        alert_bus: events.IEventBus,
        **stack_options: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack_options)
        machines = self.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=f"{layout.PREFIX}-",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        functions = StepFunctions(
            Construct(self, "Functions"),
            EVERY_STEP,
            code={"functions": bundles.functions, "scoring": bundles.scoring, "loading": bundles.loading},
            resources=StepResources(
                bucket=storage.bucket,
                series=storage.series,
                incidents=storage.incidents,
                transactions=storage.transactions,
                key=storage.key,
                service_models=storage.service_models,
                alert_bus=alert_bus,
            ),
        )
        permit(
            functions.by_step[VALIDATE_INPUT.name].role,
            Permission(actions=["states:ListExecutions"], resources=[f"{machines}*"], reason=WORKLOAD_REASON),
        )
        self.lost_starts = DeadLetterQueue(self, "ScheduleDeadLetters").queue
        schedules = iam.Role(self, "Schedules", assumed_by=assumed_by(self, "scheduler"))
        permit(
            schedules,
            Permission(actions=["states:StartExecution"], resources=[f"{machines}*"], reason=WORKLOAD_REASON),
            Permission(actions=["sqs:SendMessage"], resources=[self.lost_starts.queue_arn]),
        )
        self.failed_runs = KeptEvents(
            self,
            "FailedRuns",
            pattern=ended_badly([{"prefix": machines}]),
            undelivered=self.lost_starts,
            purpose="Runs of workloads' workflows that did not succeed, kept for whoever looks into them",
        ).queue

        for name, arn in functions.substitutions.items():
            CfnOutput(self, name, value=arn)
        CfnOutput(self, "ScheduleRoleArn", value=schedules.role_arn)
        CfnOutput(self, "ScheduleDeadLettersArn", value=self.lost_starts.queue_arn)
