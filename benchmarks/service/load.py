"""Requests one after the other, and many at once."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np

from benchmarks.service.cloud import Service
from watchkeeper.client import Client, TaskFailedError
from watchkeeper.client.client import RunningTask

KEY = "benchmark/load/table"
ROWS = 500
MODEL = "HBOS"
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Latency:
    """Milliseconds from a POST to its answer; the execution has started by then."""

    count: int
    p50: float
    p95: float
    longest: float

    @classmethod
    def of(cls, seconds: list[float]) -> Latency:
        """Summarize measured times."""
        milliseconds = 1000 * np.array(seconds)
        return cls(
            len(seconds),
            float(np.percentile(milliseconds, 50)),
            float(np.percentile(milliseconds, 95)),
            float(milliseconds.max()),
        )


@dataclass(frozen=True)
class Burst:
    """Many requests at once."""

    asked: int
    finished: int
    failed: int
    executions: int
    """Executions that the requests have; as many as requests, when none is lost and none is twice."""
    seconds: float
    """Until the last one had finished."""
    latency: Latency


def upload_table(client: Client, folder: Path) -> None:
    """Upload the table that all requests read."""
    numbers = random.Random(0)
    lines = [f"{numbers.gauss(50, 5):.3f},{numbers.gauss(20, 2):.3f}" for _ in range(ROWS)]
    file = folder / "table.csv"
    file.write_text("load,ambient\n" + "\n".join(lines) + "\n")
    client.upload(file, f"{KEY}.csv")


def one_by_one(client: Client, count: int) -> Latency:
    """Send train requests, each after the one before has finished."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        task = client.train(MODEL, KEY)
        times.append(time.perf_counter() - began)
        client.wait(task, poll_seconds=POLL_SECONDS)
    return Latency.of(times)


def all_at_once(service: Service, client: Client, count: int) -> Burst:
    """Send train requests at once, each twice under its id, as after a lost answer, and wait for all."""
    ids = [str(uuid4()) for _ in range(count)]

    def start(request_id: str) -> tuple[RunningTask, float]:
        began = time.perf_counter()
        task = client.train(MODEL, KEY, request_id=request_id)
        return task, time.perf_counter() - began

    def finish(task: RunningTask) -> bool:
        try:
            client.wait(task, poll_seconds=POLL_SECONDS, timeout_seconds=7200)
        except TaskFailedError:
            return False
        return True

    began = time.perf_counter()
    with ThreadPoolExecutor(count) as pool:
        started = list(pool.map(start, ids))
        again = list(pool.map(start, ids))
        finished = list(pool.map(finish, [task for task, _ in started]))
    seconds = time.perf_counter() - began
    names = {task.task_id for task, _ in [*started, *again]}
    return Burst(
        asked=count,
        finished=sum(finished),
        failed=len(finished) - sum(finished),
        executions=len(names & _executions(service)),
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
