"""The Lambda Runtime API of one worker: hands out one event at a time and takes its answer.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from localcloud.images.admission import refusal

MAX_ANSWER_BYTES = 6_291_556
_TOO_LARGE = json.dumps(
    {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size "
        f"({MAX_ANSWER_BYTES} bytes).",
    }
).encode()
_ANSWER = re.compile(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)$")


@dataclass(frozen=True, slots=True)
class Event:
    """One invocation as the runtime receives it. ``deadline_ms`` is Unix time in milliseconds."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the runtime posted. ``request_id`` is empty for an error while it initialised."""

    request_id: str
    payload: bytes
    is_error: bool


class RuntimeApi:
    """HTTP server on a loopback port that the kernel chooses.

    Parameters
    ----------
    host
        Loopback address to listen at.
    """

    def __init__(self, host: str) -> None:
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._answers: queue.Queue[Answer] = queue.Queue()
        self._server = _Server((host, 0), _handler(self._events, self._answers))
        thread = threading.Thread(target=self._server.serve_forever, args=(0.2,), name="lambda-runtime-api")
        thread.daemon = True
        thread.start()

    @property
    def address(self) -> str:
        """``host:port`` for ``AWS_LAMBDA_RUNTIME_API``."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def offer(self, event: Event) -> None:
        """Make an event the next one that the runtime gets."""
        self._events.put(event)

    def answer(self, wait_seconds: float) -> Answer | None:
        """Return the next answer, or None when there is none within the wait."""
        try:
            return self._answers.get(timeout=max(wait_seconds, 0.001))
        except queue.Empty:
            return None

    def close(self) -> None:
        """Stop listening and release a runtime that waits for an event."""
        self._events.put(None)
        # Shutting down waits for the server's own poll: nobody needs to wait with it.
        threading.Thread(target=self._stop_listening, name="lambda-runtime-api-end", daemon=True).start()

    def _stop_listening(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a connection that a killed worker left: the worker's owner sees its exit."""


def _handler(
    events: "queue.Queue[Event | None]", answers: "queue.Queue[Answer]"
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def parse_request(self) -> bool:
            if not super().parse_request():
                return False
            reason = refusal({name.lower(): value for name, value in self.headers.items()})
            if reason is not None:
                self.send_error(403, reason)
            return reason is None

        def do_GET(self) -> None:
            if not self.path.endswith("/runtime/invocation/next"):
                self._reply(404, {}, b"")
                return
            event = events.get()
            if event is None:
                self.close_connection = True
                return
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": event.request_id,
                "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": event.function_arn,
            }
            if event.trace_id:
                headers["Lambda-Runtime-Trace-Id"] = event.trace_id
            self._reply(200, headers, event.payload)

        def do_POST(self) -> None:
            body = self._body()
            self._reply(202, {}, json.dumps({"status": "OK"}).encode())
            if self.path.endswith("/runtime/init/error"):
                answers.put(Answer("", body, is_error=True))
            elif match := _ANSWER.search(self.path):
                too_large = match[2] != "error" and len(body) > MAX_ANSWER_BYTES
                answers.put(
                    Answer(
                        match[1], _TOO_LARGE if too_large else body, is_error=too_large or match[2] == "error"
                    )
                )

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    return Handler
