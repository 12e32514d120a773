"""Who hears of a workload's alerts on one route."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct


class RouteSubscription(Construct):
    """A subscription to the alert topic that lets only one workload's alerts of one channel through.

    Parameters
    ----------
    protocol
        `email`, `https` or `sqs`.
    endpoint
        Address, URL or queue ARN.
    undelivered
        Keeps the alerts that SNS could not deliver.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        workload: str,
        channel: str,
        protocol: str,
        endpoint: str,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        sns.Subscription(
            self,
            "Subscription",
            topic=topic,
            protocol=sns.SubscriptionProtocol[protocol.upper()],
            endpoint=endpoint,
            filter_policy={
                "workload": sns.SubscriptionFilter.string_filter(allowlist=[workload]),
                "routes": sns.SubscriptionFilter.string_filter(allowlist=[channel]),
            },
            dead_letter_queue=undelivered,
        )
