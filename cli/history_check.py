"""A look at history before it is uploaded: what the training job would refuse is refused here, in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from cli.metrics import say_read
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.rows import check_columns, labelled_row
from watchkeeper.telemetry.dialect import read_fields
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
        if not path.is_file():
            raise InvalidInputError(f"{path}: no such file")
        tally = Tally()
        notes: list[str] = []
        with path.open("rb") as stream:
            for line, error in _outcomes(plan)(stream, str(path), notes):
                for counted in (tally, whole):
                    if error is None:
                        counted.accept()
                    else:
                        counted.refuse(error, str(path), line)
        say_read(path, tally, notes=notes)
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
    history = plan.history
    check = partial(check_columns, plan=plan, name=name)
    for line, _text, fields in read_fields(
        stream, name, check_header=check, headers=history.headers, dialect=history.dialect
    ):
        yield line, _refusal(fields, plan)


def _refusal(fields: dict[str, object] | InvalidInputError, plan: RegressionPlan) -> InvalidInputError | None:
    if isinstance(fields, InvalidInputError):
        return fields
    try:
        labelled_row(fields, plan)
    except InvalidInputError as error:
        return error
    return None
