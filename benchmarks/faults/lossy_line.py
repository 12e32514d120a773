"""A line to a broker that loses acknowledgements: what devices send arrives, the answers do not."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

CHUNK_BYTES = 65_536
HEALTHY_SECONDS = (3.0, 15.0)
"""A connection works for so long, then it is deaf, then it breaks."""
DEAF_SECONDS = 0.25


class LossyLine:
    """Forwards connections, each for a while; `lost` counts those that broke with an answer lost."""

    def __init__(self, host: str, port: int, seed: int) -> None:
        self._target = (host, port)
        self._random = random.Random(seed)
        self._listener = socket.create_server((host, 0))
        self.lost = 0

    @property
    def port(self) -> int:
        """Where devices connect."""
        port: int = self._listener.getsockname()[1]
        return port

    def accept(self) -> None:
        """Serve connections until `close`."""
        with contextlib.suppress(OSError):
            while True:
                device, _ = self._listener.accept()
                seconds = self._random.uniform(*HEALTHY_SECONDS)
                threading.Thread(target=self._serve, args=(device, seconds), daemon=True).start()

    def close(self) -> None:
        """End the listening; connections end with their devices."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, device: socket.socket, healthy_seconds: float) -> None:
        try:
            broker = socket.create_connection(self._target, timeout=5)
        except OSError:
            device.close()
            return
        broker.settimeout(None)
        deaf_from = time.monotonic() + healthy_seconds
        upward = threading.Thread(target=_forward, args=(device, broker), daemon=True)
        upward.start()
        self._answer(broker, device, deaf_from)
        for each in (device, broker):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        upward.join()
        device.close()
        broker.close()

    def _answer(self, broker: socket.socket, device: socket.socket, deaf_from: float) -> None:
        """Forward answers until the line is deaf; then lose them for a moment, once there is one to lose."""
        breaks_at = None
        with contextlib.suppress(OSError):
            while breaks_at is None or time.monotonic() < breaks_at:
                broker.settimeout(None if breaks_at is None else max(0.001, breaks_at - time.monotonic()))
                answer = broker.recv(CHUNK_BYTES)
                if not answer:
                    return
                if time.monotonic() < deaf_from:
                    device.sendall(answer)
                elif breaks_at is None:
                    breaks_at = time.monotonic() + DEAF_SECONDS
                    self.lost += 1


def _forward(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def lossy_line(host: str, port: int, seed: int) -> Iterator[LossyLine]:
    """Open a line to a broker."""
    line = LossyLine(host, port, seed)
    threading.Thread(target=line.accept, daemon=True).start()
    try:
        yield line
    finally:
        line.close()
