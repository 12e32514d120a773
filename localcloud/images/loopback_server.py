"""The HTTP side of a serving container: `/ping`, `/invocations`, `/execution-parameters`, on the loopback."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from .admission import refusal

MAX_PAYLOAD_MB = 6
MAX_PAYLOAD_BYTES = MAX_PAYLOAD_MB * 1024**2
"""The limit of `InvokeEndpoint` and of the model servers in the images."""
IDLE_SECONDS = 600
_DISCARD_BYTES = 1 << 16

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    content_type: str
    body: bytes


class Model(Protocol):
    """What a serving program puts behind the server."""

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one request; header names are in lower case."""

    def execution_parameters(self) -> dict[str, int | str] | None:
        """What batch transform may use, or None when the image does not say."""


def refuse(status: HTTPStatus, message: str) -> Answer:
    """An error as readable text."""
    return Answer(status, "text/plain; charset=utf-8", message.encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_SECONDS
    model: Model

    def parse_request(self) -> bool:
        """Refuse web pages before anything is read of what they send."""
        if not super().parse_request():
            return False
        reason = refusal({name.lower(): value for name, value in self.headers.items()})
        if reason is not None:
            self.close_connection = True
            self._send(refuse(HTTPStatus.FORBIDDEN, reason))
        return reason is None

    def do_GET(self) -> None:
        parameters = self.model.execution_parameters()
        if self.path == "/ping":
            self._send(Answer(HTTPStatus.OK, "application/json", b""))
        elif self.path == "/execution-parameters" and parameters is not None:
            self._send(Answer(HTTPStatus.OK, "application/json", json.dumps(parameters).encode()))
        else:
            self._send(refuse(HTTPStatus.NOT_FOUND, f"there is no {self.path}"))

    def do_POST(self) -> None:
        text = self.headers.get("Content-Length", "")
        if not text.isdigit():
            self.close_connection = True
            self._send(refuse(HTTPStatus.LENGTH_REQUIRED, "a request needs a Content-Length"))
            return
        length = int(text)
        if length > MAX_PAYLOAD_BYTES:
            self._discard(length)
            message = f"the payload has {length} bytes, the limit is {MAX_PAYLOAD_BYTES}: send fewer records"
            self._send(refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message))
            return
        body = self.rfile.read(length)
        if self.path != "/invocations":
            self._send(refuse(HTTPStatus.NOT_FOUND, f"there is no {self.path}"))
            return
        self._send(self._invoke(body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the inherited signature
        logger.debug(format, *args)

    def _invoke(self, body: bytes) -> Answer:
        try:
            return self.model.invoke(body, {name.lower(): value for name, value in self.headers.items()})
        except Exception as error:
            logger.exception("the model failed")
            return refuse(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {error}")

    def _discard(self, length: int) -> None:
        """Read the body away: a client that still sends would not see the answer."""
        while length > 0:
            chunk = self.rfile.read(min(length, _DISCARD_BYTES))
            if not chunk:
                return
            length -= len(chunk)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def serve(model: Model) -> None:
    """Answer requests for a loaded model until SIGTERM; the port is in `SAGEMAKER_BIND_TO_PORT`."""
    handler = type("Handler", (_Handler,), {"model": model})
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    server = _Server(("127.0.0.1", port), handler)
    # shutdown() waits for the loop that this very thread runs, so it is called from another one
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    logger.info("serving on port %d", port)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
