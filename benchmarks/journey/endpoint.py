"""The pipeline endpoint by itself: rows a second and latency, through a stock boto3 client."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.journey.laptop import Trained
from benchmarks.journey.telemetry import source_after_history
from lambdas.adapters.endpoint import SageMakerEndpoint
from watchkeeper.core import layout
from watchkeeper.telemetry.rows import Row, format_row

REQUESTS = {1: 300, 100: 100, 1000: 40}
"""Requests for each number of rows."""
WARM_UP = 3


@dataclass(frozen=True)
class EndpointSpeed:
    """Requests of so many rows, one after the other on one connection."""

    rows: int
    seconds: tuple[float, ...]

    @property
    def rows_per_second(self) -> float:
        """Of one client that waits for each answer."""
        return self.rows * len(self.seconds) / sum(self.seconds)


def measure_endpoint(trained: Trained) -> list[EndpointSpeed]:
    """Time requests of each size, as the scoring function makes them: one score a row, or an error."""
    endpoint = SageMakerEndpoint(trained.session.client("sagemaker-runtime"))
    name = layout.endpoint_name(trained.spec.name)
    found = []
    for count, requests in REQUESTS.items():
        rows = _rows(trained, count)
        for _ in range(WARM_UP):
            endpoint.score(name, rows)
        found.append(EndpointSpeed(count, tuple(_seconds(endpoint, name, rows) for _ in range(requests))))
    return found


def _seconds(endpoint: SageMakerEndpoint, name: str, rows: list[str]) -> float:
    started = time.perf_counter()
    endpoint.score(name, rows)
    return time.perf_counter() - started


def _rows(trained: Trained, count: int) -> list[str]:
    source = source_after_history(trained)
    records = [source.record(message) for message in source.messages(count)]
    values = [record.measures[source.plan.measures[0].name] or 0.0 for record in records]
    lags = source.plan.features.shingle - 1
    return [
        format_row(Row(record.event_time, None, values[at], tuple(reversed(values[max(0, at - lags) : at]))))
        for at, record in enumerate(records)
    ]
