"""Events of a bus that become work in a queue, and such as are kept for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.work_queue import DeadLetterQueue, WorkQueue


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


class KeptEvents(Construct):
    """A rule of the account's default bus that puts matching events into a queue which nothing empties."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pattern: events.EventPattern,
        undelivered: sqs.IQueue,
        purpose: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.queue = DeadLetterQueue(self, "Kept").queue
        events.Rule(
            self,
            "Rule",
            description=purpose,
            event_pattern=pattern,
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=undelivered)],
        )


def ended_badly(machines: Sequence[Any]) -> events.EventPattern:
    """Return the pattern of executions that failed, timed out or were stopped.

    Parameters
    ----------
    machines
        ARNs of their state machines, or EventBridge's content filters of these.
    """
    return events.EventPattern(
        source=["aws.states"],
        detail_type=["Step Functions Execution Status Change"],
        detail={"stateMachineArn": list(machines), "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
    )
