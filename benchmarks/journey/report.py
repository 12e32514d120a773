"""The figures as a table on the screen, as JSON, and as a page of the documentation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks import pages
from benchmarks.journey import account
from benchmarks.journey.endpoint import EndpointSpeed
from benchmarks.journey.flow import Throughput
from benchmarks.journey.objects import FleetThroughput

TARGET_SECONDS = 1.0
HEADER = ("what", "size", "rate", "p50", "p95")
PAGE = Path(__file__).with_name("page.md")


@dataclass(frozen=True)
class Alerts:
    """Seconds from publish to alert, and how many records the series had before the first."""

    records_before: int
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class Results:
    """Everything that one run has measured."""

    workload: str
    command: str
    machine: dict[str, Any]
    buffer_seconds: float
    waited: str
    """What the workload says of its freshness, and that it was overridden: `cli.freshness.told`."""
    throughput: tuple[Throughput, Throughput]
    fleet: tuple[FleetThroughput, ...]
    alerts: tuple[Alerts, Alerts]
    endpoint: tuple[EndpointSpeed, ...]

    def document(self) -> dict[str, Any]:
        """Return the figures with what they were made from."""
        return {**dataclasses.asdict(self), "summary": list(map(list, self.rows()))}

    def rows(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Lay out one line a measurement; see `HEADER`."""
        for flow in self.throughput:
            yield (
                "publish → score",
                f"{flow.records:,} records",
                f"{flow.records_per_second:,.0f} records/s",
                "",
                "",
            )
        for fleet in self.fleet:
            yield (
                "objects → scores",
                f"{fleet.series:,} series, {fleet.records:,} records",
                f"{fleet.records_per_second:,.0f} records/s",
                "",
                "",
            )
        for alerts in self.alerts:
            size = f"{len(alerts.seconds)} spikes, after {alerts.records_before:,} records"
            yield "publish → alert", size, "", *_percentiles(alerts.seconds)
        for speed in self.endpoint:
            rate = f"{speed.rows_per_second:,.0f} rows/s"
            yield (
                "endpoint",
                f"{speed.rows:,} {'row' if speed.rows == 1 else 'rows'} a request",
                rate,
                *_percentiles(speed.seconds),
            )

    def table(self) -> Table:
        """Lay out the figures for the screen."""
        table = Table(*HEADER, title=f"{self.workload}, {self.waited}", title_justify="left", box=None)
        for row in self.rows():
            table.add_row(*row)
        return table

    def page(self) -> str:
        """Write the page of the documentation."""
        worst = max(_quantile(alerts.seconds, 0.95) for alerts in self.alerts)
        few, many = self.throughput
        before, after = (_quantile(alerts.seconds, 0.5) for alerts in self.alerts)
        hundred, thousand = (_quantile(speed.seconds, 0.5) for speed in self.endpoint[-2:])
        return PAGE.read_text(encoding="utf-8").format(
            command=self.command,
            machine=pages.described(self.machine),
            workload=self.workload,
            buffer=self.buffer_seconds,
            waited=self.waited,
            account=account.table(),
            table=pages.table(HEADER, self.rows()).rstrip(),
            target=TARGET_SECONDS,
            verdict="met" if worst < TARGET_SECONDS else f"missed, with {worst:.2f} s",
            rate_growth=many.records_per_second / few.records_per_second,
            latency_growth=after / before,
            endpoint_growth=thousand / hundred,
        )


def _percentiles(seconds: Sequence[float]) -> tuple[str, str]:
    return f"{_quantile(seconds, 0.5) * 1000:,.1f} ms", f"{_quantile(seconds, 0.95) * 1000:,.1f} ms"


def _quantile(seconds: Sequence[float], quantile: float) -> float:
    return float(np.quantile(seconds, quantile))
