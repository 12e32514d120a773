"""SIGKILL for the processes of a local cloud that carry telemetry, while they carry it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, TypeVar

import psutil

from benchmarks.journey.laptop import localcloud
from localcloud.settings import Settings
from localcloud.supervisor import Running

Found = TypeVar("Found")
Victim = Literal["scoring", "alerting", "container", "server"]
"""A worker of `score_telemetry`, one of `group_anomalies` or `publish_alert`, a container of an endpoint, or
supervisor and server at once: broker, rules, delivery streams, buckets, queues, tables."""

LOOK_SECONDS, PATIENCE_SECONDS = 0.02, 20.0
OLD_SECONDS = 8.0
"""A worker that dies while it starts has not held its messages: they come again only after the queue's own
time."""
_PROGRAMS = {
    "scoring": ("lambdas.scoring.handler",),
    "alerting": ("lambdas.incidents.handler", "lambdas.alerting.handler"),
    "container": ("randomcutforest.serve", "scikit_learn.serve"),
}


HIDDEN_SECONDS = 45
"""In place of the twelve minutes for which messages stay hidden of a worker that died before it held them."""


class Killer:
    """Kills one victim after the other, each in the middle of its work.

    Parameters
    ----------
    settings
        Of the local cloud.
    plan
        Whom, and how many seconds after the one before.
    """

    def __init__(self, settings: Settings, plan: Sequence[tuple[float, Victim]]) -> None:
        self._settings = settings
        self._plan = plan
        self._thread = ThreadPoolExecutor(1)
        self._work: Future[None] | None = None
        self.killed: Counter[str] = Counter()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._work = self._thread.submit(self._kill)

    def finish(self) -> None:
        """Wait until all of the plan is done."""
        if self._work is not None:
            self._work.result()
        self._thread.shutdown()

    def _kill(self) -> None:
        for pause, victim in self._plan:
            time.sleep(pause)
            self.killed[victim] += self._kill_server() if victim == "server" else self._kill_process(victim)

    def _kill_process(self, victim: Victim) -> int:
        """Kill a process that works right now; return 0 where none did for a while."""
        busy = self._until_busy(victim)
        if busy is None:
            return 0
        busy.kill()
        return 1

    def _until_busy(self, victim: Victim) -> psutil.Process | None:
        started = _old if victim in ("scoring", "alerting") else _any
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            busy = _busiest([each for each in self._processes(_PROGRAMS[victim]) if started(each)])
            if busy is not None:
                return busy
        return None

    def _kill_server(self) -> int:
        """Kill it while an object is scored, and start it again."""
        self._until_busy("scoring")
        running = Running.read(self._settings)
        if running is None:
            return 0
        family = [each for top in running.processes() for each in [top, *_below(top)]]
        for process in running.processes():
            process.kill()
        psutil.wait_procs(family, timeout=30)
        localcloud("up", "--detach", "--quiet")
        return 1

    def _processes(self, programs: Sequence[str]) -> list[psutil.Process]:
        running = Running.read(self._settings)
        tops = running.processes() if running else []
        return [each for top in tops for each in _below(top) if _is(each, programs)]


def _busiest(processes: Sequence[psutil.Process]) -> psutil.Process | None:
    before = {process: _seconds(process) for process in processes}
    time.sleep(LOOK_SECONDS)
    used = {process: _seconds(process) - seconds for process, seconds in before.items()}
    busy = [process for process, seconds in used.items() if seconds > 0]
    return max(busy, key=lambda process: used[process], default=None)


def _old(process: psutil.Process) -> bool:
    return time.time() - _alive(process.create_time, time.time()) > OLD_SECONDS


def _any(process: psutil.Process) -> bool:
    return True


def _seconds(process: psutil.Process) -> float:
    return _alive(lambda: sum(process.cpu_times()[:2]), 0.0)


def _is(process: psutil.Process, programs: Sequence[str]) -> bool:
    nothing: list[str] = []
    return any(program in argument for argument in _alive(process.cmdline, nothing) for program in programs)


def _below(process: psutil.Process) -> list[psutil.Process]:
    return _alive(lambda: process.children(recursive=True), [])


def _alive(ask: Callable[[], Found], otherwise: Found) -> Found:
    try:
        return ask()
    except psutil.Error:
        return otherwise
