"""Events of a bus that become work in a queue."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
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
