"""When a message that failed comes again: soon at first, then ever later.

A queue that Lambda polls hides a message for six times the function's time limit. In a FIFO queue the rest of
the message's group waits for it, so a passing fault would hold a workload up for minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

FIRST_SECONDS = 15
GROWTH = 4
LONGEST_SECONDS = 900


def seconds_until_again(receive_count: int) -> int:
    """Return how long a message is hidden after its n-th failure: 15 s, 1 min, 4 min, then 15 min."""
    return int(min(LONGEST_SECONDS, FIRST_SECONDS * GROWTH ** (max(receive_count, 1) - 1)))


def bring_again_soon(
    event: Mapping[str, Any],
    response: PartialItemFailureResponse,
    client: Callable[[], SQSClient],
    logger: Logger,
) -> PartialItemFailureResponse:
    """Shorten the time until the failed messages of a batch come again; return the response as it is.

    If the queue cannot be told, they come again after its own time, so this only logs.
    """
    failed = {item["itemIdentifier"] for item in response["batchItemFailures"]}
    records = [record for record in event["Records"] if record["messageId"] in failed]
    if records:
        try:
            _shorten(records, client())
        except (BotoCoreError, ClientError):
            logger.warning("the failed messages come again only after the queue's own time", exc_info=True)
    return response


def _shorten(records: Sequence[Mapping[str, Any]], client: SQSClient) -> None:
    queue = records[0]["eventSourceARN"].rsplit(":", 1)[-1]
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    for record in records:
        received = int(record["attributes"]["ApproximateReceiveCount"])
        client.change_message_visibility(
            QueueUrl=url,
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=seconds_until_again(received),
        )
