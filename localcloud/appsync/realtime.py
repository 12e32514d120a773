"""One WebSocket connection of a client that listens.

https://docs.aws.amazon.com/appsync/latest/eventapi/event-api-websocket-protocol.html
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from localcloud.admission import Receive, Scope, Send
from localcloud.appsync.broker import Broker, Subscription
from localcloud.appsync.errors import EventsError, bad_request
from localcloud.appsync.identity import EventApi

SUBPROTOCOL = "aws-appsync-event-ws"
HEADER = "header-"
"""Begins the other subprotocol, which has the headers of the handshake in base64url."""
CONNECTION_TIMEOUT_MS = 300_000
KEEP_ALIVE_SECONDS = 60.0
CONNECTION_SECONDS = 24 * 3600
MOST_SUBSCRIPTIONS = 100
MOST_WAITING = 1_000
"""Messages for a client that does not read them; then the connection ends."""

_POLICY_VIOLATION, _GOING_AWAY = 1008, 1001
_ID = re.compile(r"[A-Za-z0-9_+-]{1,128}")

Message = dict[str, Any]
Token = Callable[[], Awaitable[str | None]]
"""Gives the token of who sends none, or None."""


class Connection:
    """Reads what a client says, in order, and answers.

    Parameters
    ----------
    api
        What it is connected to.
    broker
        Where it subscribes and publishes.
    token
        Stands in where a message has no authorization.
    """

    def __init__(self, api: EventApi, broker: Broker, token: Token) -> None:
        self._api = api
        self._broker = broker
        self._token = token
        self._subscriptions: dict[str, Subscription] = {}
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue(MOST_WAITING)
        self._too_slow = asyncio.Event()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the connection until one side ends it."""
        if (await receive())["type"] != "websocket.connect":
            return
        offered = [str(each) for each in scope.get("subprotocols") or ()]
        if SUBPROTOCOL not in offered:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        try:
            headers = await self._authorization(_headers_of(offered))
            await self._broker.doorkeeper.let_in(self._api, "connect", None, headers)
        except EventsError as error:
            document = {"type": "connection_error", "errors": [error.document]}
            await send({"type": "websocket.send", "text": json.dumps(document)})
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        try:
            await self._converse(receive, send)
        finally:
            for subscription in self._subscriptions.values():
                self._broker.unsubscribe(subscription)

    async def _converse(self, receive: Receive, send: Send) -> None:
        listening = asyncio.create_task(self._listen(receive))
        others = [self._write(send), self._keep_alive(), self._too_slow.wait()]
        tasks = [listening, *map(asyncio.create_task, others)]
        try:
            ended, _ = await asyncio.wait(
                tasks, timeout=CONNECTION_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in tasks:
                task.cancel()
        for task in ended:
            task.result()
        if listening not in ended:
            await send({"type": "websocket.close", "code": _GOING_AWAY})

    async def _listen(self, receive: Receive) -> None:
        while True:
            incoming = await receive()
            if incoming["type"] == "websocket.disconnect":
                return
            text = incoming.get("text") or (incoming.get("bytes") or b"").decode("utf-8", "replace")
            self._tell(await self._answer(text))

    async def _write(self, send: Send) -> None:
        while True:
            message = await self._outgoing.get()
            await send({"type": "websocket.send", "text": json.dumps(message)})

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_SECONDS)
            self._tell({"type": "ka"})

    def _tell(self, message: Message) -> None:
        try:
            self._outgoing.put_nowait(message)
        except asyncio.QueueFull:
            self._too_slow.set()

    async def _answer(self, text: str) -> Message:
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            return {"type": "error", "errors": [bad_request("Message is no JSON object").document]}
        kind = message.get("type")
        try:
            if kind == "connection_init":
                return {"type": "connection_ack", "connectionTimeoutMs": CONNECTION_TIMEOUT_MS}
            if kind == "subscribe":
                return await self._subscribe(message)
            if kind == "publish":
                return await self._publish(message)
            if kind == "unsubscribe":
                return self._unsubscribe(message)
        except EventsError as error:
            named = {"id": message["id"]} if "id" in message else {}
            return {"type": f"{kind}_error", **named, "errors": [error.document]}
        unknown = EventsError("UnsupportedOperation", "Operation not supported through the realtime channel")
        return {"type": "error", "errors": [unknown.document]}

    async def _subscribe(self, message: Message) -> Message:
        key = _id_of(message)
        if key in self._subscriptions:
            raise EventsError("DuplicatedOperationError", f"id {key} is subscribed already")
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            raise EventsError(
                "MaxSubscriptionsReachedError", f"a connection has at most {MOST_SUBSCRIPTIONS} subscriptions"
            )
        headers = await self._authorization(message.get("authorization"))

        def hear(event: str) -> None:
            self._tell({"id": key, "type": "data", "event": event})

        subscription = await self._broker.subscribe(self._api, message.get("channel"), headers, hear)
        self._subscriptions[key] = subscription
        return {"id": key, "type": "subscribe_success"}

    def _unsubscribe(self, message: Message) -> Message:
        key = _id_of(message)
        subscription = self._subscriptions.pop(key, None)
        if subscription is None:
            raise EventsError("UnknownOperationError", f"Unknown operation id {key}")
        self._broker.unsubscribe(subscription)
        return {"id": key, "type": "unsubscribe_success"}

    async def _publish(self, message: Message) -> Message:
        key = _id_of(message)
        headers = await self._authorization(message.get("authorization"))
        answer = await self._broker.publish(self._api, message, headers)
        return {"id": key, "type": "publish_success", **answer}

    async def _authorization(self, given: object) -> Mapping[str, str]:
        headers = given if isinstance(given, dict) else {}
        if not any(name.lower() == "authorization" for name in headers):
            token = await self._token()
            if token is not None:
                return {**headers, "Authorization": token}
        return headers


def _headers_of(offered: list[str]) -> Mapping[str, str]:
    for each in offered:
        if each.startswith(HEADER):
            encoded = each.removeprefix(HEADER)
            try:
                document = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
            except (binascii.Error, ValueError) as error:
                raise bad_request(f"the subprotocol {HEADER} has no JSON in base64url") from error
            if not isinstance(document, dict):
                raise bad_request(f"the subprotocol {HEADER} has no JSON object")
            return document
    return {}


def _id_of(message: Message) -> str:
    key = message.get("id")
    if not isinstance(key, str) or not _ID.fullmatch(key):
        raise EventsError("InvalidInputError", "id must have 1 to 128 of A-Z a-z 0-9 _ + -")
    return key
