"""Tells who looks on: each event goes to the administrators' channel and to that of each reader's tenant.

The messages of a batch are told in their order, five events a request. What AppSync does not take comes again
with its message; the ids of its events are the same then, and a page shows each once. What is larger than
AppSync takes is told without its detail: the page then asks the API.

Permissions
-----------
- `appsync:EventPublish` on the one namespace
- `ssm:GetParameter` on `parameter/watchkeeper/*/plan`, for readers
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the queue's consumer grants
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas.adapters import clients
from lambdas.adapters.event_channels import EVENT_BYTES, AppSyncChannels, EventChannels
from lambdas.adapters.plan_store import ParameterPlanStore, PlanStore
from lambdas.live.channels import EVERYTHING, tenant_channel
from lambdas.live.events import events_in
from lambdas.runtime.queue_handler import batch_handler
from lambdas.runtime.typed_environment import TypedEnvironment
from watchkeeper.core.errors import InvalidInputError, WatchkeeperError
from watchkeeper.incidents.summary import LiveEvent


@dataclass(frozen=True, kw_only=True)
class PublishLiveEnvironment(TypedEnvironment):
    """What `publish_live` is told when it is deployed."""

    service: ClassVar[str] = "publish_live"

    events_host: str
    """Of the Event API's HTTP endpoint."""


@dataclass(frozen=True)
class LiveEffects:
    """Everything outside of `publish_live`."""

    plans: PlanStore
    channels: EventChannels

    @classmethod
    def in_aws(cls, environment: PublishLiveEnvironment) -> LiveEffects:
        """Return the effects in AWS."""
        return cls(
            plans=ParameterPlanStore(clients.ssm()),
            channels=AppSyncChannels.over_network(environment.events_host),
        )


logger = Logger(service=PublishLiveEnvironment.service)


@functools.cache
def effects() -> LiveEffects:
    """Return the effects of this process."""
    return LiveEffects.in_aws(PublishLiveEnvironment.from_environ())


def handle_batch(records: Sequence[SQSRecord]) -> Collection[str]:
    """Tell what the messages say; return the ids of those that are not told to everybody."""
    failed: set[str] = set()
    events: list[tuple[str, LiveEvent]] = []
    for record in records:
        try:
            found = events_in(record.body)
        except InvalidInputError:
            logger.exception("not told", extra={"message_id": record.message_id})
            failed.add(record.message_id)
            continue
        events += [(record.message_id, event) for event in found]
    return failed | tell(events, effects())


def tell(events: Iterable[tuple[str, LiveEvent]], effects: LiveEffects) -> set[str]:
    """Publish events, each to the channels of who may hear it.

    Parameters
    ----------
    events
        Each with the id of the message that it came in.

    Returns
    -------
    set of str
        Ids of the messages of which something was not taken.
    """
    failed: set[str] = set()
    by_channel: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for message, event in events:
        try:
            readers = effects.plans.readers_of(event.workload)
        except InvalidInputError:
            readers = ()  # of a workload that is no more
        except WatchkeeperError:
            logger.exception("nobody was told", extra={"workload": event.workload})
            failed.add(message)
            continue
        text = _text(event)
        for channel in (EVERYTHING, *map(tenant_channel, readers)):
            by_channel[channel].append((message, text))
    for channel, told in by_channel.items():
        try:
            refused = effects.channels.publish(channel, [text for _, text in told])
        except WatchkeeperError:
            logger.exception("not published", extra={"channel": channel})
            failed |= {message for message, _ in told}
            continue
        failed |= {told[number][0] for number in refused}
    logger.info("told", extra={"events": len(by_channel[EVERYTHING]), "channels": len(by_channel)})
    return failed


def _text(event: LiveEvent) -> str:
    text = json.dumps(event.to_dict(), ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) <= EVENT_BYTES:
        return text
    logger.warning("told without its detail", extra={"id": event.id, "bytes": len(text.encode())})
    return json.dumps({**event.to_dict(), "detail": {"left_out": True}}, separators=(",", ":"))


handle = batch_handler(handle_batch, PublishLiveEnvironment)
"""The entry point."""
