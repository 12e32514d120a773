"""A look at history before it is uploaded: what the training job would refuse is refused here, in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from cli.metrics import say_read
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.tables import Table, read_rows, table_of
from watchkeeper.kinds import AnyPlan
from watchkeeper.regression.history import read_history
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.telemetry.decoding import open_file
from watchkeeper.telemetry.dialect import TableFile
from watchkeeper.telemetry.history import History
from watchkeeper.telemetry.tally import Tally

Outcomes = Iterator[tuple[int, InvalidInputError | None]]
"""Line, and why it is refused."""
Reader = Callable[[IO[bytes], str, list[str]], Outcomes]


def check_history(plan: AnyPlan, files: Sequence[Path]) -> None:
    """Read files as the training job will, and say what became of their lines.

    Raises
    ------
    InvalidInputError
        A file is not there or cannot be read, or a larger share than the spec allows is unusable.
    """
    whole = Tally()
    reader_of = _readers(plan, files)
    for path in files:
        tally = Tally()
        notes: list[str] = []
        with open_file(path) as stream:
            for line, error in reader_of(path)(stream, str(path), notes):
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


def _readers(plan: AnyPlan, files: Sequence[Path]) -> Callable[[Path], Reader]:
    """Return what gives the reader of a file."""
    match plan:
        case WorkloadPlan():
            return lambda _: partial(_readings, plan)
        case RegressionPlan():
            return lambda _: partial(_rows, plan)
        case FraudPlan():
            return _transaction_readers(plan, files)


def _readings(plan: WorkloadPlan, stream: IO[bytes], name: str, notes: list[str]) -> Outcomes:
    history = History(stream, plan, name)
    for line in history:
        yield line.number, line.outcome if isinstance(line.outcome, InvalidInputError) else None
    notes += history.notes()


def _rows(plan: RegressionPlan, stream: IO[bytes], name: str, _: list[str]) -> Outcomes:
    for line, _text, row in read_history(stream, plan, name):
        yield line, row if isinstance(row, InvalidInputError) else None


def _transaction_readers(plan: FraudPlan, files: Sequence[Path]) -> Callable[[Path], Reader]:
    tables = {path: _table(path, plan) for path in files}
    identities = [path for path, table in tables.items() if table == "identities"]
    columns = None
    if identities:
        with open_file(identities[0]) as stream:
            columns = TableFile(stream, str(identities[0]), plan.history.dialect).header
    return lambda path: partial(_transactions, plan, tables[path], columns)


def _table(path: Path, plan: FraudPlan) -> Table:
    table = table_of(path.name, plan)
    if table is None:
        names = plan.history.files
        second = f", and of identities {names.identities!r}" if names.identities else ""
        raise InvalidInputError(
            f"{path}: files of transactions are named {names.transactions!r}{second}; rename it, or write "
            "its name to transactions.files",
            reason="unknown_table",
        )
    return table


def _transactions(
    plan: FraudPlan, table: Table, identities: list[str] | None, stream: IO[bytes], name: str, _: list[str]
) -> Outcomes:
    for line, row in read_rows(stream, plan, name, table, identities):
        yield line, row if isinstance(row, InvalidInputError) else None
