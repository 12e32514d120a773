"""Messages are held by a heartbeat while a function works on them: who is killed lets go of them soon.

A queue that Lambda polls hides a message for six times the function's time limit, which AWS demands. A worker
that dies (killed, out of memory, timed out) would leave its messages hidden for all of that time, and in a
FIFO queue the rest of their group waits. So the function shortens the time at once, and lengthens it again
and again for as long as it lives.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HELD_SECONDS = 30
"""So long after the last heartbeat a message comes again."""
BEAT_SECONDS = 10
BATCH = 10
"""Messages that SQS takes in one call."""


@contextmanager
def held(
    records: Sequence[Mapping[str, Any]], client: Callable[[], SQSClient], logger: Logger
) -> Iterator[None]:
    """Hold the messages of a batch until the block ends.

    If the queue cannot be told, or the worker dies before its first heartbeat, the messages stay hidden for
    the queue's own time.
    """
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(records, client, logger, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(
    records: Sequence[Mapping[str, Any]],
    client: Callable[[], SQSClient],
    logger: Logger,
    stop: threading.Event,
) -> None:
    while True:
        try:
            _hold(records, client())
        except (BotoCoreError, ClientError):
            logger.warning("the messages cannot be held by a heartbeat", exc_info=True)
        if stop.wait(BEAT_SECONDS):
            return


def _hold(records: Sequence[Mapping[str, Any]], client: SQSClient) -> None:
    url = queue_url(client, queue_of(records))
    for first in range(0, len(records), BATCH):
        client.change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {
                    "Id": str(number),
                    "ReceiptHandle": record["receiptHandle"],
                    "VisibilityTimeout": HELD_SECONDS,
                }
                for number, record in enumerate(records[first : first + BATCH])
            ],
        )


@functools.cache
def queue_url(client: SQSClient, name: str) -> str:
    """Return the URL of a queue; it is asked for once a process, since each question is paid for."""
    return client.get_queue_url(QueueName=name)["QueueUrl"]


def queue_of(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of the queue that a batch of records is of."""
    return str(records[0]["eventSourceARN"]).rsplit(":", 1)[-1]
