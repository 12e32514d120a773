"""AppSync Events as a part of the server: the types of templates, and the two ways of the data plane."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from localcloud.admission import Application, Receive, Scope, Send
from localcloud.appsync.broker import EVENT_BYTES, MOST_EVENTS, Broker
from localcloud.appsync.cloudformation import install_types
from localcloud.appsync.errors import EventsError, bad_request
from localcloud.appsync.handlers import Handlers
from localcloud.appsync.identity import Doorkeeper, EventApi
from localcloud.appsync.realtime import Connection, Token
from localcloud.authorization.authority import Authority
from localcloud.part import Part
from localcloud.role_clients import RoleClients
from localcloud.seams import appsync
from localcloud.seams.responses import request_scope
from localcloud.settings import Settings

PUBLISHING, REALTIME = "/event", "/event/realtime"
_OWN_HOST = re.compile(r"([a-z0-9]+)\.appsync(?:-realtime)?-api\.")
_BODY_BYTES = 2 * MOST_EVENTS * EVENT_BYTES
"""Of a publish, in which events are texts within a text."""


async def no_token() -> str | None:
    """Give nobody an identity."""
    return None


class AppSyncPart(Part):
    """Event APIs.

    A name of its own, as each has on AWS, would resolve in browsers only; so `localhost` stands for the one
    Event API that there is, and a `Host` of AWS's form chooses among several.

    Parameters
    ----------
    settings
        Of the local cloud.
    authority
        Evaluates who publishes, and gives the roles that functions are called by.
    """

    def __init__(self, settings: Settings, authority: Authority) -> None:
        self._settings = settings
        handlers = Handlers(authority, RoleClients(settings, authority, "appsync"))
        self._broker = Broker(Doorkeeper(authority), handlers)

    def install(self) -> None:
        """Add the types of templates."""
        install_types()

    def application(self, scope: Scope) -> Application | None:
        """Return what serves a connection of the data plane; None for every other one."""
        own = (scope["type"], scope.get("path")) in (("http", PUBLISHING), ("websocket", REALTIME))
        return self.serve if own else None

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection of a program."""
        await self.serve_for(no_token, scope, receive, send)

    async def serve_for(self, token: Token, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection.

        Parameters
        ----------
        token
            Of a WebSocket's user who sends none.
        """
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        with request_scope(self._settings.account, self._settings.region):
            try:
                api = _api_of(headers.get("host", ""))
                if scope["type"] == "websocket":
                    await Connection(api, self._broker, token).serve(scope, receive, send)
                    return
                if scope["method"] != "POST":
                    raise EventsError("UnknownOperationException", status=HTTPStatus.NOT_FOUND)
                request = _request(await _body(receive))
                status, answer = HTTPStatus.OK, await self._broker.publish(api, request, headers)
            except EventsError as error:
                if scope["type"] == "websocket":
                    await send({"type": "websocket.close", "code": 1008})
                    return
                status, answer = HTTPStatus(error.status), {"errors": [error.document]}
        await _answer(send, status, answer)


def _api_of(host: str) -> EventApi:
    own = _OWN_HOST.match(host)
    ids = [own[1]] if own else list(appsync.apis)
    if len(ids) != 1 or ids[0] not in appsync.apis:
        message = "Unable to find the Api."
        if len(ids) > 1:
            message = f"{len(ids)} Event APIs are deployed: send a Host of the form ID.appsync-api.REGION"
        raise EventsError("ResourceNotFoundException", message, HTTPStatus.NOT_FOUND)
    return EventApi(ids[0])


def _request(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError as error:
        raise EventsError("SerializationException", "Unable to parse request body") from error
    if not isinstance(document, dict):
        raise bad_request("Request body must be a JSON object")
    return document


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _BODY_BYTES:
            raise EventsError(
                "RequestEntityTooLargeException", "Request too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            )
        if message["type"] != "http.request" or not message.get("more_body", False):
            return bytes(body)


async def _answer(send: Send, status: int, document: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})
