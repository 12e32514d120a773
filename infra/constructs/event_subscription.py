"""Events of a bus that become work in a queue, and who hears of a workload: its alerts on one route, or how
its trainings end."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.work_queue import WorkQueue


class EventSubscription(Construct):
    """A rule that puts matching events into a work queue; what cannot be delivered goes to its dead letters.

    Parameters
    ----------
    bus
        Where the events come from; None is the account's default bus.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus: events.IEventBus | None,
        pattern: events.EventPattern,
        work: WorkQueue,
        purpose: str,
    ) -> None:
        super().__init__(scope, construct_id)
        events.Rule(
            self,
            "Rule",
            description=purpose,
            event_bus=bus,
            event_pattern=pattern,
            targets=[targets.SqsQueue(work.queue, dead_letter_queue=work.dead_letters)],
        )


class RouteSubscription(Construct):
    """A subscription to the alert topic that lets only one workload's messages of some kind through.

    Parameters
    ----------
    attributes
        What a message must say of itself, such as `{"routes": ["operators"]}`.
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
        attributes: Mapping[str, list[str]],
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
                **{
                    name: sns.SubscriptionFilter.string_filter(allowlist=values)
                    for name, values in attributes.items()
                },
            },
            dead_letter_queue=undelivered,
        )
