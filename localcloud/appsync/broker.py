"""Publishes events to a channel, and sends them to who subscribed to it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.appsync.channels import Channel, InvalidChannelError, parse_channel
from localcloud.appsync.errors import bad_request, unauthorized
from localcloud.appsync.handlers import Handlers
from localcloud.appsync.identity import Doorkeeper, EventApi

MOST_EVENTS = 5
"""Of one publish."""
EVENT_BYTES = 240 * 1024

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one connection wants to hear."""

    api: EventApi
    channel: Channel
    send: Callable[[str], None]
    """Takes an event as it was published."""


@dataclass(frozen=True, slots=True)
class Broker:
    """All subscriptions of the process; everything of it runs on one event loop."""

    doorkeeper: Doorkeeper
    handlers: Handlers
    _by_id: dict[int, Subscription] = field(default_factory=dict)

    async def subscribe(
        self,
        api: EventApi,
        channel_name: object,
        authorization: Mapping[str, str],
        send: Callable[[str], None],
    ) -> Subscription:
        """Let a connection hear a channel.

        Raises
        ------
        EventsError
            If there is no such channel, or the caller or the namespace's handler says no.
        """
        channel = _channel(api, channel_name, subscribing=True)
        identity = await self.doorkeeper.let_in(api, "subscribe", channel.namespace, authorization)
        await self.handlers.let_subscribe(api, channel, identity, authorization)
        found = Subscription(api, channel, send)
        self._by_id[id(found)] = found
        return found

    def unsubscribe(self, subscription: Subscription) -> None:
        """Send nothing more."""
        self._by_id.pop(id(subscription), None)

    async def publish(
        self, api: EventApi, request: Mapping[str, Any], authorization: Mapping[str, str]
    ) -> Document:
        """Publish a batch and return which events were taken and which were not.

        Parameters
        ----------
        request
            `channel` and `events`, each event the text of a JSON value.

        Raises
        ------
        EventsError
            If nothing of it is taken.
        """
        events = request.get("events")
        if not request.get("channel"):
            raise bad_request("Missing channel")
        if not isinstance(events, list):
            raise bad_request("Missing events")
        if len(events) > MOST_EVENTS:
            raise bad_request(f"Input exceeded {MOST_EVENTS} event limit")
        channel = _channel(api, request["channel"], subscribing=False)
        identity = await self.doorkeeper.let_in(api, "publish", channel.namespace, authorization)
        faults = [_fault(event) for event in events]
        ids = [str(uuid.uuid4()) for _ in events]
        sound = [
            {"id": key, "payload": json.loads(event)}
            for key, event, fault in zip(ids, events, faults, strict=True)
            if fault is None
        ]
        outgoing, wrong = await self.handlers.broadcast(api, channel, identity, authorization, sound)
        texts = dict(zip(ids, events, strict=True))
        payloads = {each["id"]: each["payload"] for each in sound}
        for each in outgoing:
            unchanged = each["payload"] == payloads[each["id"]]
            self._send(api, channel, texts[each["id"]] if unchanged else json.dumps(each["payload"]))
        faults = [wrong.get(key) if fault is None else fault for key, fault in zip(ids, faults, strict=True)]
        answer: Document = {"failed": [], "successful": []}
        for index, (key, reason) in enumerate(zip(ids, faults, strict=True)):
            if reason is None:
                answer["successful"].append({"identifier": key, "index": index})
            else:
                answer["failed"].append({"identifier": key, "index": index, "code": 400, "message": reason})
        return answer

    def _send(self, api: EventApi, channel: Channel, event: str) -> None:
        for each in list(self._by_id.values()):
            if each.api == api and each.channel.hears(channel):
                each.send(event)


def _channel(api: EventApi, name: object, *, subscribing: bool) -> Channel:
    try:
        channel = parse_channel(name, subscribing=subscribing)
    except InvalidChannelError as error:
        raise bad_request(str(error)) from error
    if api.namespace(channel.namespace) is None:
        raise unauthorized()
    return channel


def _fault(event: object) -> str | None:
    if not isinstance(event, str):
        return "an event must be the text of a JSON value"
    if len(event.encode()) > EVENT_BYTES:
        return f"an event has at most {EVENT_BYTES} bytes"
    try:
        json.loads(event)
    except ValueError:
        return "an event must be the text of a JSON value"
    return None
