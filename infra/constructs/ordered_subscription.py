"""Events of the account's default bus that become ordered work in a FIFO queue."""

from __future__ import annotations

from collections.abc import Mapping

import jsii
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from aws_cdk.interfaces.aws_events import IRuleRef
from constructs import Construct

from infra.constructs.work_queue import DeadLetterQueue, WorkQueue
from infra.naming import pascal_name


class OrderedSubscription(Construct):
    """A rule for each group of messages: an EventBridge target can name one group only.

    What cannot be delivered goes to a queue of its own, since EventBridge takes no FIFO queue for it. Each
    queue has one policy statement for all rules: a queue's policy may have 20 statements.

    Parameters
    ----------
    patterns
        The events of each group, which are handled one after the other.
    work
        An ordered queue.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        patterns: Mapping[str, events.EventPattern],
        work: WorkQueue,
        purpose: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.undelivered: sqs.IQueue = DeadLetterQueue(self, "Undelivered").queue
        rules = [
            events.Rule(
                self,
                pascal_name(group),
                description=f"{purpose}: {group}",
                event_pattern=pattern,
                targets=[_GroupOfQueue(group, work.queue, self.undelivered)],
            )
            for group, pattern in patterns.items()
        ]
        for queue in (work.queue, self.undelivered):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={"ArnEquals": {"aws:SourceArn": [rule.rule_arn for rule in rules]}},
                )
            )


@jsii.implements(events.IRuleTarget)
class _GroupOfQueue:
    """A message group of a queue as the target of a rule; CDK's own adds a policy statement for each rule."""

    def __init__(self, group: str, queue: sqs.IQueue, undelivered: sqs.IQueue) -> None:
        self._group = group
        self._queue = queue
        self._undelivered = undelivered

    def bind(self, rule: IRuleRef, id: str | None = None) -> events.RuleTargetConfig:  # noqa: A002  jsii's name
        """Return the target."""
        return events.RuleTargetConfig(
            arn=self._queue.queue_arn,
            sqs_parameters=events.CfnRule.SqsParametersProperty(message_group_id=self._group),
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self._undelivered.queue_arn),
        )
