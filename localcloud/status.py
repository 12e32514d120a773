"""What `status` shows: services, endpoints, executions, ports, processes and size of the state."""

import contextlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from localcloud.seams.responses import request_scope
from localcloud.seams.stepfunctions import executions
from localcloud.settings import Settings


class Status:
    """Collects the status of a running server.

    Parameters
    ----------
    settings
        Of the local cloud.
    parts
        The server's parts; one with a method ``status() -> dict`` adds to the document.
    """

    def __init__(self, settings: Settings, parts: Sequence[object]) -> None:
        self._settings = settings
        self._parts = parts

    def document(self) -> dict[str, Any]:
        """Return the status as JSON-serialisable values."""
        process = psutil.Process()
        document: dict[str, Any] = {
            "endpoint_url": self._settings.endpoint_url,
            "region": self._settings.region,
            "account": self._settings.account,
            "home": str(self._settings.home),
            "process": process.pid,
            "memory_bytes": process.memory_info().rss,
            "children": [
                {"process": child.pid, "command": " ".join(_command(child))[:120]}
                for child in process.children(recursive=True)
            ],
            "listeners": sorted(_listeners(process)),
            "state_bytes": sum(path.stat().st_size for path in _files(self._settings.home)),
            "executions": self._executions(),
        }
        for part in self._parts:
            describe = getattr(part, "status", None)
            if describe is not None:
                document.update(describe())
        return document

    def _executions(self) -> dict[str, int]:
        with request_scope(self._settings.account, self._settings.region):
            return Counter(execution["status"] for execution in executions.values())


def _listeners(process: psutil.Process) -> Iterator[str]:
    for candidate in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            for connection in candidate.net_connections(kind="inet"):
                if connection.status == psutil.CONN_LISTEN:
                    yield f"{connection.laddr.ip}:{connection.laddr.port}"


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


def _files(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root) / name
            if path.is_file() and not path.is_symlink():
                yield path
