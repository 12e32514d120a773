"""A look at history before it is uploaded: what the training job would refuse is refused here, in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from cli.metrics import say_read
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.regression.history import read_history
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.telemetry.decoding import open_file
from watchkeeper.telemetry.history import History
from watchkeeper.telemetry.tally import Tally

Outcomes = Iterator[tuple[int, InvalidInputError | None]]
"""Line, and why it is refused."""


def check_history(plan: WorkloadPlan | RegressionPlan, files: Sequence[Path]) -> None:
    """Read files as the training job will, and say what became of their lines.

    Raises
    ------
    InvalidInputError
        A file is not there or cannot be read, or a larger share than the spec allows is unusable.
    """
    whole = Tally()
    for path in files:
        tally = Tally()
        notes: list[str] = []
        with open_file(path) as stream:
            for line, error in _outcomes(plan)(stream, str(path), notes):
                for counted in (tally, whole):
                    if error is None:
                        counted.accept()
                    else:
                        counted.refuse(error, str(path), line)
        say_read(path, tally, notes=notes)
    if files and not whole.read:
        names = ", ".join(map(str, files))
        raise InvalidInputError(f"{names}: not one record below the header", reason="too_few_rows")
    whole.check(plan.max_refused_share if isinstance(plan, WorkloadPlan) else plan.history.max_refused_share)


def _outcomes(
    plan: WorkloadPlan | RegressionPlan,
) -> Callable[[IO[bytes], str, list[str]], Outcomes]:
    return partial(_readings, plan) if isinstance(plan, WorkloadPlan) else partial(_rows, plan)


def _readings(plan: WorkloadPlan, stream: IO[bytes], name: str, notes: list[str]) -> Outcomes:
    history = History(stream, plan, name)
    for line in history:
        yield line.number, line.outcome if isinstance(line.outcome, InvalidInputError) else None
    notes += history.notes()


def _rows(plan: RegressionPlan, stream: IO[bytes], name: str, _: list[str]) -> Outcomes:
    for line, _text, row in read_history(stream, plan, name):
        yield line, row if isinstance(row, InvalidInputError) else None
