"""Many requests at once, undisturbed or with the laptop's cloud going down among them."""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from benchmarks.service.cloud import Service
from benchmarks.service.interruptions import Interruption
from benchmarks.service.latency import MODEL, Latency
from benchmarks.service.tables import KEY, ROWS
from watchkeeper.client import Client, TaskFailedError
from watchkeeper.client.client import RunningTask
from watchkeeper.core.errors import UnavailableError

POLL_SECONDS = 2.0
LONGEST_SECONDS = 3600.0

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Burst:
    """What became of requests that were sent at once, each of them twice under its `request_id`."""

    name: str
    asked: int
    finished: int
    tasks: int
    """Different executions that the answers named; as many as requests, when none was started twice."""
    executions: int
    """Executions that the state machine has more than before."""
    results: int
    """Requests whose model is there and whose predictions have a line for each row."""
    seconds: float
    """Until the last one had finished."""
    latency: Latency

    @property
    def whole(self) -> bool:
        """Whether nothing was lost and nothing ran twice."""
        return {self.finished, self.tasks, self.executions, self.results} == {self.asked}


class Callers:
    """As many callers as requests, each of which sends again what was not answered.

    Parameters
    ----------
    client
        The service's.
    count
        Requests at once.
    """

    def __init__(self, client: Client, count: int) -> None:
        self.ids = [str(uuid4()) for _ in range(count)]
        self.answered = threading.Semaphore(0)
        """Released once for each answered POST."""
        self._client = client

    def start(self, request_id: str) -> tuple[RunningTask, float]:
        """Send one request until it is answered; return the task and the seconds that it took."""
        began = time.perf_counter()
        task = _until_answered(lambda: self._client.train(MODEL, KEY, request_id=request_id))
        self.answered.release()
        return task, time.perf_counter() - began

    def finish(self, task: RunningTask) -> dict[str, Any] | None:
        """Wait for the results, also while nothing answers; None if the task failed."""
        try:
            return _until_answered(lambda: self._client.wait(task, poll_seconds=POLL_SECONDS))
        except TaskFailedError:
            return None

    def has_results(self, answer: dict[str, Any] | None) -> bool:
        """Tell whether the files that an answer names are there and whole."""
        if answer is None:
            return False
        with tempfile.TemporaryDirectory() as folder:
            predictions = self._client.download(
                answer["predictions_label_file"], Path(folder) / "predictions"
            )
            model = self._client.download(answer["model_path"], Path(folder) / "model")
            lines = predictions.read_text().splitlines()
            return len(lines) == ROWS + 1 and model.stat().st_size > 0


def all_at_once(
    service: Service, client: Client, count: int, name: str, interruption: Interruption | None = None
) -> Burst:
    """Send train requests at once, each again under its id, as after a lost answer, and wait for all.

    Parameters
    ----------
    name
        Of the burst, in the page.
    interruption
        Comes when half of the requests are answered: the others are under way, and no task has finished.
    """
    callers = Callers(client, count)
    before = _executions(service)
    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        starting = [pool.submit(callers.start, request_id) for request_id in callers.ids]
        if interruption is not None:
            for _ in range(count // 2):
                callers.answered.acquire()
            interruption(service.settings)
        started = [each.result() for each in starting]
        again = list(pool.map(callers.start, callers.ids))
        answers = list(pool.map(callers.finish, [task for task, _ in started]))
    seconds = time.perf_counter() - began
    return Burst(
        name=name,
        asked=count,
        finished=sum(answer is not None for answer in answers),
        tasks=len({task.task_id for task, _ in [*started, *again]}),
        executions=len(_executions(service) - before),
        results=sum(map(callers.has_results, answers)),
        seconds=seconds,
        latency=Latency.of([taken for _, taken in started]),
    )


def _executions(service: Service) -> set[str]:
    pages = service.session.client("stepfunctions").get_paginator("list_executions")
    return {
        execution["executionArn"]
        for page in pages.paginate(stateMachineArn=service.outputs["StateMachineArnTrain"])
        for execution in page["executions"]
    }


def _until_answered(ask: Callable[[], Answer]) -> Answer:
    began = time.perf_counter()
    while time.perf_counter() - began < LONGEST_SECONDS:
        with contextlib.suppress(UnavailableError):
            return ask()
    return ask()
