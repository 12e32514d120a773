"""Metrics of a model as the terminal shows them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.table import Table

from watchkeeper.command.screen import say
from watchkeeper.judgement.evaluation import Metrics
from watchkeeper.regression.evaluation import RegressionMetrics
from watchkeeper.telemetry.tally import Tally


def metrics_table(metrics: Metrics | RegressionMetrics) -> Table:
    """Lay out metrics; those that have no value are left out."""
    table = Table(box=None, show_header=False)
    for name, value in vars(metrics).items():
        if value is not None:
            table.add_row(name.replace("_", " "), f"{value:.4g}" if isinstance(value, float) else str(value))
    return table


def say_read(file: Path, tally: Tally, what: str = "records", notes: Iterable[str] = ()) -> None:
    """Say what became of a file's lines, and what is strange about them."""
    say(f"{file}: {tally.sentence(what)}")
    for note in notes:
        say(note)
