"""The listeners' door: an ASGI application that answers 403 where `localcloud.images.admission` refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from localcloud.images.admission import is_own_page, refusal
from localcloud.settings import Settings

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_CORS = b"access-control-"
_BODY_SECONDS = 60.0
"""Time for the next part of a body; who sends half of one holds a connection no longer."""


class _HalfSentError(Exception):
    pass


class Admission:
    """Hands a connection to the application if no foreign page asks.

    Answers of the application have CORS headers only for pages of this cloud: ministack lets every page read
    every answer.

    Parameters
    ----------
    application
        What is behind the door.
    settings
        Of the local cloud; its ports' pages may ask.
    links
        Whether a link on a foreign page may lead here.
    """

    def __init__(self, application: Application, settings: Settings, *, links: bool = False) -> None:
        self._application = application
        self._own_ports = (settings.port, settings.service_port)
        self._links = links

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        links = self._links and scope.get("method") == "GET"
        reason = refusal(headers, own_ports=self._own_ports, links=links)
        if reason is not None:
            await _forbid(scope, send, reason)
        elif scope["type"] != "http":
            await self._application(scope, receive, send)
        else:
            own = is_own_page(headers.get("origin", ""), self._own_ports)
            try:
                await self._application(scope, _whole(receive), send if own else _without_cors(send))
            except _HalfSentError:
                await _answer(send, 408, f"no more of the body for {_BODY_SECONDS:.0f} s")


def _whole(receive: Receive) -> Receive:
    """Return what gives a body's parts, and raises when the next one does not come."""
    ended = False

    async def timed() -> MutableMapping[str, Any]:
        nonlocal ended
        if ended:
            return await receive()  # of a client that waits for its answer
        try:
            message = await asyncio.wait_for(receive(), _BODY_SECONDS)
        except TimeoutError as error:
            raise _HalfSentError from error
        ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    return timed


def _without_cors(send: Send) -> Send:
    async def forward(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [
                pair for pair in message.get("headers", []) if not bytes(pair[0]).lower().startswith(_CORS)
            ]
            message = {**message, "headers": kept}
        await send(message)

    return forward


async def _forbid(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before the handshake: an answer of 403
        return
    await _answer(send, 403, reason)


async def _answer(send: Send, status: int, reason: str) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"message": reason}).encode()})
