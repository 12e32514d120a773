"""From a POST to its answer, by which the execution has started."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from benchmarks.service.tables import KEY
from watchkeeper.client import Client

MODEL = "HBOS"
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Latency:
    """Milliseconds from a POST to its answer."""

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
class Single:
    """Train requests, each sent after the one before has finished."""

    latency: Latency
    seconds: float
    """Median from the POST to the result."""


def one_by_one(client: Client, count: int) -> Single:
    """Send train requests, each after the one before has finished."""
    answered, finished = [], []
    for _ in range(count):
        began = time.perf_counter()
        task = client.train(MODEL, KEY)
        answered.append(time.perf_counter() - began)
        client.wait(task, poll_seconds=POLL_SECONDS)
        finished.append(time.perf_counter() - began)
    return Single(Latency.of(answered), float(np.median(finished)))
