"""Ticks of one workload: intervals close, though no reading comes."""

from __future__ import annotations

import json

from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.stream.tick_message import TICK_SOURCE

RETRIES = 2


class TickSchedule(Construct):
    """Sends a tick to the scoring queue, in the workload's message group: in order with its objects.

    A tick says the time that it was scheduled for. One that is lost is made good by the next, so it is not
    tried again for longer than until then.

    Parameters
    ----------
    queue_arn
        A FIFO queue.
    role_arn
        Role of all workloads' ticks.
    undelivered_arn
        The queue of ticks that could not be delivered.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: WorkloadPlan,
        queue_arn: str,
        role_arn: str,
        undelivered_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        minutes = plan.tick_seconds // 60
        scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"Closes intervals of {plan.workload} that have ended, and finds silent series",
            schedule_expression=f"rate({minutes} minute{'' if minutes == 1 else 's'})",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=queue_arn,
                role_arn=role_arn,
                input=json.dumps(
                    {
                        "source": TICK_SOURCE,
                        "workload": plan.workload,
                        "time": "<aws.scheduler.scheduled-time>",
                    }
                ),
                sqs_parameters=scheduler.CfnSchedule.SqsParametersProperty(message_group_id=plan.workload),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=undelivered_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=plan.tick_seconds, maximum_retry_attempts=RETRIES
                ),
            ),
        )
