"""Reads the history of a table; what does not parse is quarantined with its reason."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from containers.runtime.processing import input_files
from watchkeeper.regression.history import read_history
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.split import LabelledRow
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

    def take(self, row: LabelledRow) -> None:
        """Keep a row, unless it is not of the wanted time."""
        time = row.time
        if time is not None and (
            (self.start is not None and time < self.start) or (self.end is not None and time >= self.end)
        ):
            self.outside += 1
        else:
            self.rows.append(row)

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
        for number, text, outcome in read_history(stream, table.plan, source):
            if isinstance(outcome, LabelledRow):
                table.tally.accept()
                table.take(outcome)
            else:
                table.tally.refuse(outcome, source, number)
                refused.write(number, text, outcome)
    logger.info("read", extra={"source": source, "accepted": table.tally.accepted - before})
