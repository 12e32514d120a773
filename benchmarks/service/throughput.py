"""Rows a second of `infer`, from the POST to the results, the job's start included."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.service.latency import MODEL
from benchmarks.service.tables import KEY, LARGE_KEY
from watchkeeper.client import Client
from watchkeeper.client.client import RunningTask

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Throughput:
    """One inference."""

    how: str
    rows: int
    seconds: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def measure_throughput(client: Client, rows: int) -> list[Throughput]:
    """Judge the large table by a model and by a rule for each column."""
    model = client.wait(client.train(MODEL, KEY), poll_seconds=POLL_SECONDS)["model_path"]
    starts: dict[str, Callable[[], RunningTask]] = {
        f"a model ({MODEL})": lambda: client.infer(LARGE_KEY, model_path=model),
        "`quantile`, each column": lambda: client.infer(LARGE_KEY, method_name="quantile"),
    }
    measured = []
    for how, start in starts.items():
        began = time.perf_counter()
        client.wait(start(), poll_seconds=POLL_SECONDS)
        measured.append(Throughput(how, rows, time.perf_counter() - began))
    return measured
