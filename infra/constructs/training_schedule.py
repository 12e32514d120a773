"""Training at set times."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.aws_scheduler_targets import StepFunctionsStartExecution
from constructs import Construct

from infra.permissions import Permission, assumed_by, permit

RETRY_HOURS = 1


class TrainingSchedule(Construct):
    """Starts a state machine at set times; a start that fails for an hour goes to the dead letters.

    Parameters
    ----------
    expression
        `rate(…)` or `cron(…)` of EventBridge Scheduler, in UTC.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        state_machine: sfn.IStateMachine,
        expression: str,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(self, "Role", assumed_by=assumed_by(self, "scheduler"))
        permit(
            role,
            Permission(actions=["states:StartExecution"], resources=[state_machine.state_machine_arn]),
            Permission(actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn]),
        )
        scheduler.Schedule(
            self,
            "Schedule",
            schedule=scheduler.ScheduleExpression.expression(expression),
            target=StepFunctionsStartExecution(
                state_machine,
                input=scheduler.ScheduleTargetInput.from_object({"reason": "scheduled"}),
                dead_letter_queue=dead_letters,
                max_event_age=Duration.hours(RETRY_HOURS),
                role=role.without_policy_updates(),
            ),
        )
