"""State that survives SIGKILL: consistent snapshots of what changed, soon after it changed.

A snapshot is taken in one go on the event loop, where ministack's handlers run, so that a message that moved
from one service to another is in exactly one of them. Files are staged, committed by a marker, then renamed;
a start finishes a commit that a kill interrupted. Ministack's own format and loader are used.

The answers of `DURABLE` actions wait for the snapshot that has them, which is taken at once: whoever was told
that an execution has started finds it after a power cut, and with it what was written before it, such as the
item of the request that it works for. Requests that come together share a snapshot.

Seams: ``app._build_persistence_save_dict``, ``app.SERVICE_HANDLERS`` (to see what changed) and
``core.persistence``.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from http import HTTPStatus
from pathlib import Path
from typing import Any

from localcloud.disk import DamagedStateError, Disk, reads
from localcloud.part import Part
from localcloud.seams import gateway
from localcloud.settings import Settings

logger = logging.getLogger(__name__)

# Services that others change without a request of their own.
_LINKED = (
    "sqs",
    "sns",
    "dynamodb",
    "stepfunctions",
    "eventbridge",
    "scheduler",
    "s3",
    "firehose",
    "glue",
    "iot",
)
# Large, and nothing depends on them: saved now and then, and at the end.
_SLOW = ("cloudwatch", "cloudwatch_logs")
_SLOW_SECONDS = 10.0
# Who only looks changes nothing, but may have seen what changed by itself.
_LOOKED_SECONDS = 2.0
_GAP_SECONDS = 0.02
_SHARE = 10  # at most one part in so many of the time is spent on snapshots
_ATTEMPTS = 20
_LOOP_SECONDS = 5.0  # the loop may end while a snapshot waits for it
DURABLE = frozenset({"AWSStepFunctions.StartExecution"})
_COMMIT = "commit.json"
_STAGED = ".staged"


class PersistencePart(Part):
    """Saves state.

    Parameters
    ----------
    settings
        Of the local cloud.
    disk
        Is told whether a snapshot could be written; refuses requests where not.
    """

    def __init__(self, settings: Settings, disk: Disk) -> None:
        self._disk = disk
        self._interval = settings.persistence_interval_seconds
        self._folder = settings.home / "state"
        self._changed: set[str] = set()
        self._called: set[str] = set()
        self._looked = False
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] = []
        self._hashes: dict[str, bytes] = {}
        self._slow_saved_at = time.monotonic()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self.hooks: list[Callable[[], None]] = []

    def install(self) -> None:
        """Finish an interrupted commit, refuse damaged files, and watch which services are called.

        Raises
        ------
        DamagedStateError
            If a file of the state cannot be read: ministack would begin with an empty service.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        finish_commit(self._folder)
        require_readable(self._folder)
        for service, handler in list(gateway.service_handlers.items()):
            key = gateway.state_key(service)
            watched = handler if key is None else self._watched(key, handler)
            gateway.service_handlers[service] = self._disk.guarded(service, watched)

    async def start(self) -> None:
        """Begin to save."""
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, name="persistence", daemon=True).start()

    def shutdown(self) -> None:
        """Save everything once more, unless nothing was ever loaded; the event loop has ended."""
        self._stopping = True
        if self._loop is None:
            return
        self._wake.set()
        self._urgent.set()
        with self._lock:
            self._save(_take(None))

    def status(self) -> dict[str, Any]:
        """Return the services that were called since the start."""
        return {"services": sorted(self._called), **self._disk.status()}

    def touch(self) -> None:
        """Say that state changed outside a request."""
        self._wake.set()

    def touch_all(self) -> None:
        """Say that any service may have changed: CloudFormation makes resources without a request."""
        self._changed.update(gateway.states())
        self._slow_saved_at = float("-inf")  # alarms are among the slow ones' state
        self._wake.set()

    def when_saved(self, callback: Callable[[], None]) -> None:
        """Call back when everything that is true now is on disk."""
        self._waiting.append(callback)
        self._wake.set()

    def _watched(self, key: str, handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def watched(method: str, path: str, headers: dict[str, str], body: bytes, *rest: Any) -> Any:
            self._called.add(key)
            answer = await handler(method, path, headers, body, *rest)
            if reads(method, headers, body):
                self._looked = True
            elif not path.endswith("/invocations"):
                self._changed.add(key)
                self._wake.set()
            if headers.get("x-amz-target") in DURABLE and answer[0] == HTTPStatus.OK:
                await self._saved()
            return answer

        return watched

    async def _saved(self) -> None:
        """Return when everything that is true now is on disk, without waiting for the interval."""
        loop = asyncio.get_running_loop()
        saved: asyncio.Future[None] = loop.create_future()

        def resolve() -> None:
            loop.call_soon_threadsafe(_resolve, saved)

        self.when_saved(resolve)
        self._urgent.set()
        await saved

    def _run(self) -> None:
        while not self._stopping:
            if not self._wake.wait(_LOOKED_SECONDS) and not self._looked:
                continue
            time.sleep(_GAP_SECONDS)
            self._looked = False
            self._wake.clear()
            self._urgent.clear()
            started = time.monotonic()
            try:
                with self._lock:
                    self._snapshot()
            except (RuntimeError, TimeoutError, CancelledError, OSError):
                if not self._stopping:
                    logger.exception("snapshot failed; trying again")
                self._wake.set()
            spent = time.monotonic() - started
            self._urgent.wait(max(self._interval - spent - _GAP_SECONDS, _SHARE * spent, 0.0))

    def _snapshot(self) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        waiting, self._waiting = self._waiting, []
        try:
            taken = asyncio.run_coroutine_threadsafe(self._take_changed(), loop).result(_LOOP_SECONDS)
            self._save(taken)
            self._disk.failure = None
        except (RuntimeError, TimeoutError, CancelledError, OSError) as error:
            if isinstance(error, OSError) and not isinstance(error, TimeoutError):
                self._disk.failure = str(error)
            self.touch_all()
            self._waiting += waiting
            raise
        for callback in waiting:
            callback()

    async def _take_changed(self) -> dict[str, bytes]:
        """Write down what changed. On the loop nothing changes between the choice of services and that."""
        keys, self._changed = {*self._changed, *_LINKED}, set()
        if time.monotonic() - self._slow_saved_at < _SLOW_SECONDS:
            self._changed |= keys.intersection(_SLOW)
            keys.difference_update(_SLOW)
        else:
            keys.update(_SLOW)
            self._slow_saved_at = time.monotonic()
        return _take(keys)

    def _save(self, contents: dict[str, bytes]) -> None:
        staged: dict[str, bytes] = {}
        for key, content in contents.items():
            digest = hashlib.blake2b(content, digest_size=16).digest()
            if self._hashes.get(key) == digest:
                continue
            (self._folder / f"{key}{_STAGED}").write_bytes(content)
            staged[key] = digest
        if staged:
            commit(self._folder, list(staged))
            self._hashes |= staged
        for hook in self.hooks:
            hook()


def _resolve(saved: asyncio.Future[None]) -> None:
    if not saved.done():  # its request may be gone
        saved.set_result(None)


def _take(keys: set[str] | None) -> dict[str, bytes]:
    taken = {key: _written(key) for key in gateway.states() if keys is None or key in keys}
    return {key: content for key, content in taken.items() if content is not None}


def _written(key: str) -> bytes | None:
    """Return one service's state, written again when a background thread changed it meanwhile."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(RuntimeError):
            return gateway.written(key)
    return gateway.written(key)


def require_readable(folder: Path) -> None:
    """Refuse a state of which a file is damaged.

    Raises
    ------
    DamagedStateError
        That names the file, the place in it, and what can be done.
    """
    for path in sorted(folder.glob("*.json")):
        reason = _damage(path)
        if reason is not None:
            raise DamagedStateError(path, reason)


def _damage(path: Path) -> str | None:
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        return str(error)
    return None if isinstance(document, dict) else "it has no object"


def commit(folder: Path, keys: list[str]) -> None:
    """Replace the files of all keys by their staged ones, all or nothing."""
    partial = folder / f"{_COMMIT}.partial"
    partial.write_text(json.dumps(keys))
    partial.replace(folder / _COMMIT)
    finish_commit(folder)


def finish_commit(folder: Path) -> None:
    """Do what a commit marker says is to be done; without one, drop staged files."""
    marker = folder / _COMMIT
    if marker.exists():
        for key in json.loads(marker.read_text()):
            staged = folder / f"{key}{_STAGED}"
            if staged.exists():
                staged.replace(folder / f"{key}.json")
        marker.unlink()
    for left_over in folder.glob(f"*{_STAGED}"):
        left_over.unlink()
