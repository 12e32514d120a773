"""The listeners' door: an ASGI application that answers 403 where `localcloud.images.admission` refuses."""

from __future__ import annotations

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
        elif is_own_page(headers.get("origin", ""), self._own_ports):
            await self._application(scope, receive, send)
        else:
            await self._application(scope, receive, _without_cors(send))


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
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"message": reason}).encode()})
