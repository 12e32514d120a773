"""New telemetry objects of one workload as ordered work."""

from __future__ import annotations

from aws_cdk import aws_events as events
from constructs import Construct

from watchkeeper.core import layout


class TelemetryRule(Construct):
    """A rule that sends the workload's new objects to a queue that is scored.

    EventBridge names a target's message group by a constant, so each workload has a rule of its own.

    Parameters
    ----------
    queue_arn
        A FIFO queue, where `message_group` is given.
    message_group
        What keeps the objects of the workload in order there.
    undelivered_arn
        The queue that keeps the events which could not be delivered.
    prefix
        What the keys of the objects begin with; without it, those of the workload's telemetry.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        bucket_name: str,
        queue_arn: str,
        undelivered_arn: str,
        message_group: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        group = None
        if message_group is not None:
            group = events.CfnRule.SqsParametersProperty(message_group_id=message_group)
        self.rule = events.CfnRule(
            self,
            "Rule",
            description=f"New telemetry objects of {workload} to "
            + ("score_telemetry" if prefix is None else "fetch_telemetry"),
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [bucket_name]},
                    "object": {
                        "key": [{"prefix": layout.raw_prefix(workload) if prefix is None else prefix}]
                    },
                },
            },
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Target0",
                    arn=queue_arn,
                    sqs_parameters=group,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered_arn),
                )
            ],
        )
