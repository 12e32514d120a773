"""Warm workers: reused, one invocation each at a time, at most so many a function."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from localcloud.lambda_runtime.worker import FunctionSpec, Worker
from localcloud.programs.templates import Templates

# What a function's configuration hashes to: workers of an older one are not used again.
Generation = str


class PoolExhaustedError(RuntimeError):
    """Every worker of the function was busy for as long as its timeout."""


class WorkerPool:
    """Workers of all functions.

    Parameters
    ----------
    host
        Loopback address for the workers' Runtime API.
    limit
        Most workers of one function; a call beyond waits for a free one.
    idle_seconds
        A worker that was idle for so long is ended.
    templates
        What workers are forked from.
    """

    def __init__(self, host: str, limit: int, idle_seconds: float, templates: Templates) -> None:
        self._templates = templates
        self._host = host
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._idle: dict[str, list[tuple[Generation, Worker]]] = defaultdict(list)
        self._alive: dict[str, int] = defaultdict(int)
        self._closed = False

    @contextmanager
    def lease(self, function_key: str, generation: Generation, spec: FunctionSpec) -> Iterator["Lease"]:
        """Lend a worker for one invocation.

        Raises
        ------
        PoolExhaustedError
            When none came free within the function's timeout.
        """
        lease = Lease(self._acquire(function_key, generation, spec))
        keep = False
        try:
            yield lease
            keep = lease.keep
        finally:
            self._release(function_key, generation, lease.worker, keep=keep)

    def end_idle(self, *, older_than_seconds: float | None = None) -> None:
        """End workers that have been idle for longer than the setting, or than the given time."""
        limit = self._idle_seconds if older_than_seconds is None else older_than_seconds
        now = time.monotonic()
        ended = []
        with self._changed:
            for key, entries in self._idle.items():
                for entry in list(entries):
                    if now - entry[1].last_used >= limit:
                        entries.remove(entry)
                        self._alive[key] -= 1
                        ended.append(entry[1])
            self._changed.notify_all()
        for worker in ended:
            worker.close()

    def close(self) -> None:
        """End all idle workers; busy ones end when they are given back."""
        with self._changed:
            self._closed = True
        self.end_idle(older_than_seconds=0.0)

    def counts(self) -> dict[str, int]:
        """Workers alive for each function key."""
        with self._changed:
            return {key: count for key, count in self._alive.items() if count}

    def _acquire(self, key: str, generation: Generation, spec: FunctionSpec) -> Worker:
        deadline = time.monotonic() + spec.timeout_seconds
        stale: list[Worker] = []
        try:
            with self._changed:
                while True:
                    entries = self._idle[key]
                    while entries:
                        found, worker = entries.pop()
                        if found == generation and worker.alive:
                            return worker
                        self._alive[key] -= 1
                        stale.append(worker)
                    if self._alive[key] < self._limit:
                        self._alive[key] += 1
                        break
                    if not self._changed.wait(deadline - time.monotonic()):
                        raise PoolExhaustedError(
                            f"{spec.name}: {self._limit} workers were busy for {spec.timeout_seconds} s"
                        )
        finally:
            for worker in stale:
                worker.close()
        try:
            return Worker(spec, self._host, self._templates)
        except BaseException:
            with self._changed:
                self._alive[key] -= 1
                self._changed.notify()
            raise

    def _release(self, key: str, generation: Generation, worker: Worker, *, keep: bool) -> None:
        with self._changed:
            keep = keep and not self._closed
            if keep:
                self._idle[key].append((generation, worker))
            else:
                self._alive[key] -= 1
            self._changed.notify()
        if not keep:
            worker.close()


class Lease:
    """A lent worker. Set `keep` when it may serve again."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.keep = False
