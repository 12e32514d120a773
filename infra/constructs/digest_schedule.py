"""A route's digest, each day at a time."""

from __future__ import annotations

import json

from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from lambdas.alerting.digest import DIGEST_DETAIL_TYPE, DigestDue

RETRY_SECONDS = 3600


class DigestSchedule(Construct):
    """Asks `publish_alert` for a digest; what cannot be asked for an hour goes to the undelivered alerts.

    Parameters
    ----------
    minute
        After midnight, by the clocks of the zone: EventBridge Scheduler knows of daylight saving.
    timezone
        IANA name.
    queue_arn
        The queue of `publish_alert`.
    role_arn
        Role of all workloads' digests.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        due: DigestDue,
        minute: int,
        timezone: str,
        queue_arn: str,
        role_arn: str,
        undelivered_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        message = {
            "detail-type": DIGEST_DETAIL_TYPE,
            "time": "<aws.scheduler.scheduled-time>",
            "detail": due.to_dict(),
        }
        scheduler.CfnSchedule(
            self,
            "Schedule",
            description=f"Asks for the digest of {due.workload} on {due.channel}",
            schedule_expression=f"cron({minute % 60} {minute // 60} * * ? *)",
            schedule_expression_timezone=timezone,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state="ENABLED",
            target=scheduler.CfnSchedule.TargetProperty(
                arn=queue_arn,
                role_arn=role_arn,
                input=json.dumps(message),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=undelivered_arn),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=RETRY_SECONDS
                ),
            ),
        )
