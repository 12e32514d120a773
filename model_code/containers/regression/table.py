"""Reads the history of a table; what does not parse is quarantined with its reason."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from containers.runtime.processing import input_files
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import parse_timestamp
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.rows import check_columns, labelled_row
from watchkeeper.regression.split import LabelledRow
from watchkeeper.telemetry.dialect import Fields, read_fields
from watchkeeper.telemetry.quarantine import QuarantineFile
from watchkeeper.telemetry.tally import Tally

logger = logging.getLogger(__name__)


@dataclass
class Table:
    """What has been read so far."""

    plan: RegressionPlan
    start: datetime | None = None
    """First instant that counts."""
    end: datetime | None = None
    """First instant that does not count any more."""
    rows: list[LabelledRow] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    outside: int = 0
    """Rows that are not between `start` and `end`, or older than the plan's window."""

    def newest(self) -> list[LabelledRow]:
        """Return the rows of the plan's window, which ends with the newest row; all without a window."""
        window = self.plan.history.window_seconds
        times = [row.time for row in self.rows if row.time is not None]
        if window is None or not times:
            return self.rows
        first = max(times) - timedelta(seconds=window)
        kept = [row for row in self.rows if row.time is not None and row.time > first]
        self.outside += len(self.rows) - len(kept)
        return kept


def read_table(folder: Path, table: Table, quarantine: Path) -> int:
    """Read every file of a folder; refused lines are written to a file of `quarantine`.

    Returns
    -------
    int
        Number of files.

    Raises
    ------
    InvalidInputError
        If a file cannot be read as a whole; see `watchkeeper.telemetry.dialect`.
    """
    files = input_files(folder)
    for path in files:
        _read_file(path, path.relative_to(folder.parent).as_posix(), table, quarantine)
    return len(files)


def _read_file(path: Path, source: str, table: Table, quarantine: Path) -> None:
    before = table.tally.accepted
    with QuarantineFile(quarantine, source) as refused, path.open("rb") as stream:
        for number, text, outcome in read_fields(
            stream,
            source,
            check_header=partial(check_columns, plan=table.plan, name=source),
            headers=table.plan.history.headers,
            dialect=table.plan.history.dialect,
        ):
            error = outcome if isinstance(outcome, InvalidInputError) else _taken(outcome, table)
            if error is None:
                table.tally.accept()
            else:
                table.tally.refuse(error, source, number)
                refused.write(number, text, error)
    logger.info("read", extra={"source": source, "accepted": table.tally.accepted - before})


def _taken(fields: Fields, table: Table) -> InvalidInputError | None:
    """Keep a row; return why it is refused."""
    timestamp = table.plan.history.timestamp
    try:
        target, features = labelled_row(fields, table.plan)
        time = parse_timestamp(fields.get(timestamp.field), timestamp) if timestamp else None
    except InvalidInputError as error:
        return error
    outside = time is not None and (
        (table.start is not None and time < table.start) or (table.end is not None and time >= table.end)
    )
    if outside:
        table.outside += 1
    else:
        table.rows.append(LabelledRow(target, features, time))
    return None
