"""Metrics of a model as the terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from watchkeeper.command.screen import console
from watchkeeper.judgement.evaluation import Metrics
from watchkeeper.regression.evaluation import RegressionMetrics


def metrics_table(metrics: Metrics | RegressionMetrics) -> Table:
    """Lay out metrics; those that have no value are left out."""
    table = Table(box=None, show_header=False)
    for name, value in vars(metrics).items():
        if value is not None:
            table.add_row(name.replace("_", " "), f"{value:.4g}" if isinstance(value, float) else str(value))
    return table


def say_refused(refused: Sequence[object], what: str) -> None:
    """Say how many lines were not what they should be, if any were."""
    if refused:
        console.print(f"{len(refused)} lines were not {what}; the first: {refused[0]}")
