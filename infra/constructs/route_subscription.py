"""Who hears of a workload: its alerts on one route, or how its trainings end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct


class RouteSubscription(Construct):
    """A subscription to the alert topic that lets only one workload's messages of some kind through.

    Parameters
    ----------
    attributes
        What a message must say of itself, such as `{"routes": ["operators"]}`.
    protocol
        As `spec.alerting.Subscription` has it.
    endpoint
        As the protocol wants it.
    undelivered_arn
        The queue that keeps the alerts which SNS could not deliver.
    raw
        Whether a queue gets the alert alone, without what SNS puts around it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic_arn: str,
        workload: str,
        attributes: Mapping[str, Sequence[str]],
        protocol: str,
        endpoint: str,
        undelivered_arn: str,
        raw: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        subscription = sns.CfnSubscription(
            self,
            "Subscription",
            topic_arn=topic_arn,
            protocol=protocol,
            endpoint=endpoint,
            filter_policy={"workload": [workload], **{name: list(each) for name, each in attributes.items()}},
            redrive_policy={"deadLetterTargetArn": undelivered_arn},
            raw_message_delivery=raw or None,
        )
        if protocol == "lambda":
            permission = lambda_.CfnPermission(
                self,
                "Permission",
                action="lambda:InvokeFunction",
                function_name=endpoint,
                principal="sns.amazonaws.com",
                source_arn=topic_arn,
            )
            subscription.add_dependency(permission)
