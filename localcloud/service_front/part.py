"""The front as a part of the server: a listener of its own that hands requests to the gateway.

What AWS serves at names of its own is all at the front's address: the API, the site of the console as its
CloudFront distribution serves it, the sign-in page of its user pool, and the WebSocket of its live events.
"""

import asyncio
import json
import logging
import re
import socket
import time
from typing import Any
from urllib.parse import quote

import boto3
from hypercorn.asyncio import serve
from hypercorn.config import Config

from localcloud.admission import Admission, Receive, Scope, Send
from localcloud.appsync.part import REALTIME, AppSyncPart
from localcloud.environment import client_environment
from localcloud.part import Part
from localcloud.seams.gateway import application
from localcloud.service_front.identity import DevelopmentIdentity, audience_of
from localcloud.service_front.target import Deployed, NothingDeployedError, Target, find_target
from localcloud.settings import PREFIX, Settings

logger = logging.getLogger(__name__)

STAGE = "$default"
_TARGET_SECONDS = 5.0
SITE = "/console"
_SIGN_IN = ("/oauth2/", "/login", "/logout")
"""Beginnings of the paths of a user pool's own pages and tokens."""
_SIGN_IN_DOMAIN = re.compile(rb"https://[a-z0-9-]+\.auth\.[a-z0-9-]+\.amazoncognito\.com")
_CONFIGURATION = f"{SITE}/config.json"
_AUTHORIZATION = b"authorization"
_OF_CONTENT = (b"content-length", b"etag")


class ServiceFrontPart(Part):
    """Serves the deployed API at `http://localhost:8000`.

    A port that is taken is told by `status` and by `up`; the rest of the cloud does without the front.

    Parameters
    ----------
    settings
        Of the local cloud.
    appsync
        Serves live events.
    """

    def __init__(self, settings: Settings, appsync: AppSyncPart) -> None:
        self._settings = settings
        self._appsync = appsync
        self._stop = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._problem: str | None = None
        self._target: tuple[Deployed, float] | None = None
        self._lock = asyncio.Lock()
        self._clients: dict[str, Any] = {}
        self._identity: DevelopmentIdentity | None = None

    async def start(self) -> None:
        """Listen, unless somebody else does."""
        where = (self._settings.host, self._settings.service_port)
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(where)
            listener.listen()
        except OSError as error:
            listener.close()
            self._problem = (
                f"port {where[1]} is taken ({error.strerror}): the service has no local address; "
                f"set {PREFIX}SERVICE_PORT"
            )
            logger.warning(self._problem)
            return
        listener.setblocking(False)
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.accesslog = None
        config.loglevel = "WARNING"
        config.graceful_timeout = 0.5
        door = Admission(self._answer, self._settings, links=True)
        self._serving = asyncio.create_task(serve(door, config, shutdown_trigger=self._stop.wait))

    def status(self) -> dict[str, Any]:
        """Tell where the service is, or why it is not."""
        return {"service": self._problem or f"http://localhost:{self._settings.service_port}"}

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _accept_lifespan(receive, send)
            return
        if scope["type"] == "websocket":
            if scope["path"] == REALTIME:
                await self._appsync.serve_for(self._developer, scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        try:
            deployed = await self._current_target()
            if scope["path"].startswith(_SIGN_IN):
                await self._sign_in(deployed, scope, receive, send)
                return
            if deployed.domain is not None and _is_of_site(scope["path"]):
                await self._site(deployed.domain, scope, receive, send)
                return
            headers = list(scope["headers"])
            given = next((value for name, value in headers if name.lower() == _AUTHORIZATION), None)
            target = deployed.api_for(audience_of(given.decode("latin-1")) if given else None)
            if deployed.console is not None and _is_of_site(scope["path"]):
                target = deployed.console
            headers = await self._identified(target, headers)
        except NothingDeployedError as error:
            await _say(send, 503, str(error))
            return
        except Exception as error:
            logger.exception("the front cannot reach the service")
            await _say(send, 502, f"the service cannot be reached: {error}")
            return
        prefix = f"/_aws/execute-api/{target.api_id}/{STAGE}"
        raw = scope.get("raw_path") or scope["path"].encode()
        inner = {
            **scope,
            "path": f"{prefix}{scope['path']}",
            "raw_path": prefix.encode() + raw,
            "headers": headers,
        }
        await application(inner, receive, send)

    async def _identified(
        self, target: Target, headers: list[tuple[bytes, bytes]]
    ) -> list[tuple[bytes, bytes]]:
        has_own = any(name.lower() == _AUTHORIZATION for name, _ in headers)
        if has_own or target.pool_id is None or target.client_id is None:
            return headers
        async with self._lock:
            if self._identity is None:
                self._identity = DevelopmentIdentity(self._client("cognito-idp"))
            token = await asyncio.to_thread(self._identity.token, target.pool_id, target.client_id)
        return [*headers, (_AUTHORIZATION, f"Bearer {token}".encode())]

    async def _site(self, domain: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the distribution; what stands in its files for the names of AWS becomes the front's address."""
        kept = [pair for pair in scope["headers"] if pair[0].lower() not in (b"host", b"accept-encoding")]
        headers = [*kept, (b"host", domain.encode()), (b"x-forwarded-proto", b"https")]
        if scope["path"] == _CONFIGURATION:
            send = _rewritten(send, f"http://localhost:{self._settings.service_port}".encode())
        await application({**scope, "headers": headers}, receive, send)

    async def _sign_in(self, deployed: Deployed, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the user pool; for the front's address, where the page is here, it is told the console's."""
        if deployed.domain is None:
            await application(scope, receive, send)
            return
        here, there = (
            f"http://localhost:{self._settings.service_port}".encode(),
            f"https://{deployed.domain}".encode(),
        )
        forms = [
            (quote(each, safe="").encode(), quote(other, safe="").encode())
            for each, other in ((here, there), (here.replace(b"localhost", b"127.0.0.1"), there))
        ]
        inner = {**scope, "query_string": _replaced(scope["query_string"], forms)}
        body = _replaced(await _whole_body(receive), forms)
        length = str(len(body)).encode()
        inner["headers"] = [
            (name, length if name.lower() == b"content-length" else value) for name, value in scope["headers"]
        ]
        await application(inner, _given(body), _moved(send, there, here))

    async def _developer(self) -> str | None:
        """Return the token of who connects without one."""
        target = (await self._current_target()).service
        found = await self._identified(target, [])
        return found[0][1].decode().removeprefix("Bearer ") if found else None

    async def _current_target(self) -> Deployed:
        async with self._lock:
            if self._target is None or self._target[1] < time.monotonic():
                found = await asyncio.to_thread(
                    find_target, self._client("cloudformation"), self._client("apigatewayv2")
                )
                self._target = (found, time.monotonic() + _TARGET_SECONDS)
            return self._target[0]

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            variables = client_environment(self._settings)
            session = boto3.Session(
                variables["AWS_ACCESS_KEY_ID"],
                variables["AWS_SECRET_ACCESS_KEY"],
                region_name=self._settings.region,
            )
            self._clients[service] = session.client(service, endpoint_url=self._settings.endpoint_url)
        return self._clients[service]


def _is_of_site(path: str) -> bool:
    return path in ("/", SITE) or path.startswith(f"{SITE}/")


def _replaced(text: bytes, forms: list[tuple[bytes, bytes]]) -> bytes:
    for each, other in forms:
        text = text.replace(each, other)
    return text


async def _whole_body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _given(body: bytes) -> Receive:
    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _moved(send: Send, there: bytes, here: bytes) -> Send:
    """Return what sends an answer whose redirection leads to the front's address."""

    async def forward(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, value.replace(there, here) if name.lower() == b"location" else value)
                for name, value in message.get("headers", [])
            ]
            message = {**message, "headers": headers}
        await send(message)

    return forward


def _rewritten(send: Send, own: bytes) -> Send:
    """Return what sends an answer whose sign-in page is at the front's address."""
    start: dict[str, Any] = {}
    body = bytearray()

    async def forward(message: Any) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body", False):
            return
        content = _SIGN_IN_DOMAIN.sub(own, bytes(body))
        headers = [pair for pair in start.get("headers", []) if pair[0].lower() not in _OF_CONTENT]
        headers.append((b"content-length", str(len(content)).encode()))
        await send({**start, "headers": headers})
        await send({**message, "body": content})

    return forward


async def _accept_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _say(send: Send, status: int, message: str) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"message": message}).encode()})
