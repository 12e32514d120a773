"""The page of the measured figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pages import described
from benchmarks.service.latency import Single
from benchmarks.service.load import Burst
from benchmarks.service.throughput import Throughput

TEMPLATE = Path(__file__).with_name("page.md")
COMMAND = "make bench-service"


@dataclass(frozen=True)
class Figures:
    """All that is measured."""

    machine: dict[str, Any]
    single: Single
    bursts: Sequence[Burst]
    throughput: Sequence[Throughput]


def text(figures: Figures) -> str:
    """Return the page."""
    return TEMPLATE.read_text().format(
        command=COMMAND,
        machine=described(figures.machine),
        single=figures.single,
        latencies="\n".join(
            f"| {burst.asked} at once{burst.name} | {burst.latency.p50:,.0f} ms "
            f"| {burst.latency.p95:,.0f} ms | {burst.latency.longest:,.0f} ms |"
            for burst in figures.bursts
        ),
        bursts="\n".join(
            f"| {burst.asked}{burst.name} | {burst.finished} | {burst.tasks} | {burst.executions} "
            f"| {burst.results} | {burst.seconds:.0f} s |"
            for burst in figures.bursts
        ),
        throughput="\n".join(
            f"| {each.how} | {each.rows:,} | {each.seconds:.1f} s | {each.rate:,.0f} rows/s |"
            for each in figures.throughput
        ),
    )
