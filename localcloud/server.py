"""The server process: ministack's gateway with our parts registered in it.

``python -m localcloud up`` starts it under a supervisor; it expects `server_environment`.
"""

import asyncio
import contextlib
import json
import logging
import os
import resource
import signal
from collections.abc import Callable
from typing import Any

import psutil
from hypercorn.asyncio import serve
from hypercorn.config import Config

from localcloud.admission import Admission, Receive, Scope, Send
from localcloud.part import Part
from localcloud.seams.gateway import application
from localcloud.settings import Settings

logger = logging.getLogger(__name__)

CONTROL_PREFIX = "/_localcloud/"
_KEEP_ALIVE_SECONDS = 75
_GRACEFUL_SECONDS = 0.5  # clients hold idle connections open: waiting longer helps nobody


class Gateway:
    """ASGI application: the control endpoints, then ministack.

    Parameters
    ----------
    parts
        What `up` serves beside ministack.
    status
        Answers ``/_localcloud/status``.
    """

    def __init__(self, parts: list[Part], status: Callable[[], dict[str, Any]]) -> None:
        self._parts = parts
        self._status = status
        self._ready = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["path"].startswith(CONTROL_PREFIX):
            await self._control(scope["path"].removeprefix(CONTROL_PREFIX), send)
            return
        own = (part.application(scope) for part in self._parts)
        await (next(filter(None, own), None) or application)(scope, receive, send)

    async def start_parts(self) -> None:
        """Start every part; then the server is ready."""
        for part in self._parts:
            await part.start()
        self._ready.set()

    async def _control(self, path: str, send: Send) -> None:
        if path == "ready":
            await _answer(send, 200 if self._ready.is_set() else 503, {"ready": self._ready.is_set()})
        elif path == "status":
            await _answer(send, 200, await asyncio.to_thread(self._status))
        else:
            await _answer(send, 404, {"message": f"{CONTROL_PREFIX}{path}: known are ready and status"})


async def run(settings: Settings, gateway: Gateway) -> None:
    """Serve until SIGTERM or SIGINT, then end every part."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    config = Config()
    config.bind = [f"{settings.host}:{settings.port}"]
    config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
    config.graceful_timeout = _GRACEFUL_SECONDS
    config.accesslog = None
    config.loglevel = "WARNING"
    serving = asyncio.create_task(serve(Admission(gateway, settings), config, shutdown_trigger=stop.wait))
    starting = asyncio.create_task(_start_when_listening(settings, gateway))
    await asyncio.wait({serving, starting}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        starting.result()
    await serving
    starting.cancel()


def leave(parts: list[Part], *, failed: bool) -> None:
    """End every part, then every process that is left below this one, then this process."""
    in_order = [_end(part) for part in reversed(parts)]
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    logging.shutdown()
    # Ministack's worker threads may be stuck; an ordinary exit would wait for them.
    os._exit(0 if all(in_order) and not failed else 1)


def raise_file_limit() -> None:
    """Allow as many open files as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _end(part: Part) -> bool:
    try:
        part.shutdown()
    except Exception:
        logger.exception("%s did not end in order", type(part).__name__)
        return False
    return True


async def _start_when_listening(settings: Settings, gateway: Gateway) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(settings.host, settings.port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        break
    await gateway.start_parts()


async def _answer(send: Send, status: int, document: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})
