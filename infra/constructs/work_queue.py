"""A queue of work with a dead-letter queue."""

from __future__ import annotations

from aws_cdk import Acknowledgment, ArnFormat, Duration, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from watchkeeper.core import layout

ATTEMPTS = 5
RETENTION_DAYS = 14


class DeadLetterQueue(Construct):
    """An encrypted queue that keeps what could not be handled for two weeks.

    Parameters
    ----------
    ordered
        A FIFO queue, which a FIFO queue needs for its dead letters.
    """

    def __init__(self, scope: Construct, construct_id: str, *, ordered: bool = False) -> None:
        super().__init__(scope, construct_id)
        self.queue: sqs.IQueue = sqs.Queue(
            self,
            "Queue",
            fifo=ordered or None,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(RETENTION_DAYS),
        )
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3",
                reason="This is a dead-letter queue; cdk-nag knows no rule, schedule or topic that uses one.",
            )
        )


class WorkQueue(Construct):
    """An encrypted queue; a message that fails too often goes to the dead-letter queue.

    Parameters
    ----------
    handled_within_seconds
        Time limit of the function that handles a batch. The visibility timeout is six times as long, which
        is AWS's advice for queues that Lambda polls.
    ordered
        A FIFO queue: messages of one group are handled one after the other, in the order in which they were
        sent. Without a deduplication id of its own, the same body counts once within five minutes.
    attempts
        After so many failures a message is a dead letter.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handled_within_seconds: int,
        ordered: bool = False,
        attempts: int = ATTEMPTS,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters: sqs.IQueue = DeadLetterQueue(self, "DeadLetters", ordered=ordered).queue
        self.queue: sqs.IQueue = sqs.Queue(
            self,
            "Queue",
            fifo=ordered or None,
            content_based_deduplication=ordered or None,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(6 * handled_within_seconds),
            retention_period=Duration.days(RETENTION_DAYS),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=attempts),
        )


def let_rules_of_workloads_send(queue: sqs.IQueue, *, of_a_bus: bool = False) -> None:
    """Let the rules of workloads' stacks send to a shared queue.

    Parameters
    ----------
    of_a_bus
        The rules are of a bus of the project's, not of the account's default one.
    """
    rules = Stack.of(queue).format_arn(
        service="events",
        resource="rule",
        resource_name=f"{'*/' if of_a_bus else ''}{layout.STACK_PREFIX}-*",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnLike": {"aws:SourceArn": rules}},
        )
    )
