"""Training at set times."""

from __future__ import annotations

import json

from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

RETRY_SECONDS = 3600


class TrainingSchedule(Construct):
    """Starts a state machine at set times; a start that fails for an hour goes to the dead letters.

    Parameters
    ----------
    expression
        `rate(…)` or `cron(…)` of EventBridge Scheduler, in UTC.
    role_arn
        Role of all workloads' schedules.
    lost_starts_arn
        The queue of dead letters.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        state_machine_arn: str,
        expression: str,
        role_arn: str,
        lost_starts_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        scheduler.CfnSchedule(
            self,
            "Schedule",
            schedule_expression=expression,
            schedule_expression_timezone="Etc/UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=state_machine_arn,
                role_arn=role_arn,
                input=json.dumps({"reason": "scheduled"}),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=lost_starts_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=RETRY_SECONDS
                ),
            ),
        )
