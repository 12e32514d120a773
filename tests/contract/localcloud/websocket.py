"""A plain WebSocket client, and what a page says to AppSync Events by it."""

from __future__ import annotations

import base64
import json
import socket
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, RejectConnection, Request, TextMessage
from wsproto.utilities import RemoteProtocolError

SECONDS = 20.0
SUBPROTOCOL = "aws-appsync-event-ws"

Message = dict[str, Any]


class RefusedError(Exception):
    """The handshake was answered with another status than 101."""


class WebSocketClient:
    """One connection.

    Parameters
    ----------
    port
        Of the laptop.
    authorization
        Goes into the second subprotocol; None sends none.
    """

    def __init__(
        self,
        port: int,
        authorization: Message | None = None,
        *,
        path: str = "/event/realtime",
        host: str = "localhost",
        origin: str | None = None,
        subprotocols: tuple[str, ...] = (SUBPROTOCOL,),
    ) -> None:
        offered = list(subprotocols)
        if authorization is not None:
            encoded = base64.urlsafe_b64encode(json.dumps(authorization).encode()).decode().rstrip("=")
            offered.append(f"header-{encoded}")
        self._authorization = authorization
        self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._connection = WSConnection(ConnectionType.CLIENT)
        headers = [] if origin is None else [(b"Origin", origin.encode())]
        request = Request(host=f"{host}:{port}", target=path, subprotocols=offered, extra_headers=headers)
        self._socket.sendall(self._connection.send(request))
        self._waiting: list[Message] = []
        self._text = ""
        self.closed = False
        self.subprotocol: str | None = None
        while self.subprotocol is None:
            self._read()

    def say(self, message: Message) -> None:
        """Send one message."""
        self._socket.sendall(self._connection.send(TextMessage(json.dumps(message))))

    def hear(self) -> Message:
        """Return the next message but keep-alives."""
        while True:
            while not self._waiting:
                if self.closed:
                    raise AssertionError("the connection is closed")
                self._read()
            message = self._waiting.pop(0)
            if message["type"] != "ka":
                return message

    def ask(self, message: Message) -> Message:
        """Send a message, and return the next one."""
        self.say(message)
        return self.hear()

    def subscribe(self, channel: str, key: str = "one") -> Message:
        """Subscribe as who is connected, and return the answer."""
        authorization = {} if self._authorization is None else {"authorization": self._authorization}
        return self.ask({"type": "subscribe", "id": key, "channel": channel, **authorization})

    def close(self) -> None:
        """End the connection."""
        self._socket.close()
        self.closed = True

    def _read(self) -> None:
        received = self._socket.recv(65_536)
        try:
            self._connection.receive_data(received or None)
        except RemoteProtocolError:
            self.closed = True
            raise RefusedError from None
        for event in self._connection.events():
            if isinstance(event, AcceptConnection):
                self.subprotocol = event.subprotocol or ""
            elif isinstance(event, RejectConnection):
                self.close()
                raise RefusedError(event.status_code)
            elif isinstance(event, CloseConnection):
                self.closed = True
            elif isinstance(event, TextMessage):
                self._text += event.data
                if event.message_finished:
                    self._waiting.append(json.loads(self._text))
                    self._text = ""
