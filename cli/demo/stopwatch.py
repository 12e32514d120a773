"""The demo's stages: each one says when it begins, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.table import Table

from watchkeeper.command.screen import console, done


class Stopwatch:
    """Times stages."""

    def __init__(self) -> None:
        self.timings: list[tuple[str, float]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage; a stage that fails is not counted as done."""
        console.rule(f"[bold]{name}", align="left", style="dim")
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        self.timings.append((name, seconds))
        done(f"{name}: {seconds:.1f} s")

    def table(self) -> Table:
        """Lay out the stages with their times."""
        table = Table(title="time by stage", title_justify="left", box=None, show_header=False)
        for name, seconds in self.timings:
            table.add_row(name, f"{seconds:6.1f} s")
        table.add_row("[bold]total", f"[bold]{sum(seconds for _, seconds in self.timings):6.1f} s")
        return table
