"""A full disk: requests that write are refused as a service without room does, before they are acknowledged.

State is written soon after a request was answered, so there must be room for it when the answer goes out:
below a reserve of free space (`Settings.free_bytes`), and after a snapshot that could not be written, every
request that makes or changes something is answered with 503 `ServiceUnavailable`. Reading and removing go on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from localcloud.settings import Settings

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Awaitable[Any]]

_CODE = "ServiceUnavailable"
_READS = ("BatchGet", "Describe", "Get", "Head", "List", "Query", "Scan", "Search", "Select", "Simulate")
_READS_OR_REMOVES = (
    *_READS,
    *("Abort", "Acknowledge", "Cancel", "ChangeMessageVisibility", "Delete", "Purge", "Receive", "Remove"),
    *("Assume", "Decrypt", "Invoke", "Stop"),
)
"""Beginnings of the operations that need no room."""
_FORM = "application/x-www-form-urlencoded"


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free


class DamagedStateError(Exception):
    """A file of the state is not what was written; the message names it, and what can be done."""

    def __init__(self, path: Path, reason: object) -> None:
        super().__init__(
            f"{path} is damaged ({reason}): put a copy of it back, or move it away to begin without what "
            "it had, or remove the whole state with `python -m localcloud reset --yes`"
        )


class Disk:
    """Free space where the state is, and whether the last snapshot could be written.

    Parameters
    ----------
    settings
        Of the local cloud.
    free_bytes
        Returns the free space at a path, bytes.
    """

    def __init__(self, settings: Settings, free_bytes: Callable[[Path], int] = _free_bytes) -> None:
        self._home, self._reserve, self._free_bytes = settings.home, settings.free_bytes, free_bytes
        self.failure: str | None = None
        """Why the last snapshot could not be written; None when it could."""

    def full(self, size: int = 0) -> str | None:
        """Return why nothing of so many bytes can be taken, or None."""
        if self.failure is not None:
            return f"the state cannot be written: {self.failure}"
        free = self._free_bytes(self._home)
        if free - size >= self._reserve:
            return None
        return (
            f"{self._home} has {free:,} bytes free, and {self._reserve:,} are kept for the state: make room, "
            "or set LOCALCLOUD_FREE_BYTES"
        )

    def status(self) -> dict[str, Any]:
        """Return what `status` tells."""
        return {"disk": {"free_bytes": self._free_bytes(self._home), "refuses_writes": self.full()}}

    def guarded(self, service: str, handler: Handler) -> Handler:
        """Return a service's handler that refuses what the disk cannot take."""

        async def guard(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
        ) -> Any:
            if writes(method, path, headers, body):
                reason = self.full(len(body))
                if reason is not None:
                    return refusal(service, headers, reason)
            return await handler(method, path, headers, body, query)

        return guard


def writes(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a request makes or changes something."""
    if method in ("GET", "HEAD", "OPTIONS", "DELETE") or path.endswith(("/invocations", "/query")):
        return False
    operation = operation_of(headers, body)
    return not operation.startswith(_READS_OR_REMOVES) if operation else True


def reads(method: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a request leaves everything as it is."""
    return method in ("GET", "HEAD", "OPTIONS") or operation_of(headers, body).startswith(_READS)


def operation_of(headers: Mapping[str, str], body: bytes) -> str:
    """Return the operation that a request of the JSON or the query protocol names; empty where none does."""
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    if not operation and headers.get("content-type", "").startswith(_FORM):
        operation = parse_qs(body.decode("latin-1")).get("Action", [""])[0]
    return operation


def refusal(service: str, headers: Mapping[str, str], reason: str) -> Response:
    """Return the answer of a service without room, in the form that its clients read."""
    if headers.get("x-amz-target"):
        document = json.dumps({"__type": _CODE, "message": reason}).encode()
        return 503, {"Content-Type": "application/x-amz-json-1.0"}, document
    if service == "s3" or headers.get("content-type", "").startswith(_FORM):
        error = f"<Error><Code>{_CODE}</Code><Message>{escape(reason)}</Message></Error>"
        text = error if service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
        return 503, {"Content-Type": "application/xml"}, text.encode()
    document = json.dumps({"message": reason}).encode()
    return 503, {"Content-Type": "application/json", "x-amzn-errortype": _CODE}, document
