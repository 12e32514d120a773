"""Reads the history of a table; what does not parse is quarantined with its reason."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.timestamps import parse_timestamp
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.rows import check_columns, labelled_row
from watchkeeper.regression.split import LabelledRow
from watchkeeper.telemetry.dialect import Fields, FieldsLine, read_fields

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
    rows_read: int = 0
    outside: int = 0
    """Rows that are not between `start` and `end`, or older than the plan's window."""
    quarantined: Counter[str] = field(default_factory=Counter)
    """Number of refused lines by reason."""
    first_refusal: str = ""
    """Source, line and message of the first refused line."""

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
    """
    files = [path for path in sorted(folder.rglob("*")) if _is_history(path)] if folder.is_dir() else []
    for path in files:
        _read_file(path, path.relative_to(folder.parent).as_posix(), table, quarantine)
    return len(files)


def _is_history(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.stat().st_size > 0


def _read_file(path: Path, source: str, table: Table, quarantine: Path) -> None:
    before = len(table.rows)
    refused: IO[str] | None = None
    lines = 0
    try:
        for number, text, outcome in _lines(path, table.plan):
            lines += number > 0
            error = outcome if isinstance(outcome, InvalidInputError) else _taken(outcome, table)
            if error is not None:
                table.quarantined[error.reason] += 1
                table.first_refusal = table.first_refusal or f"{source}, line {number}: {error}"
                if refused is None:
                    refused = (quarantine / f"{short_hash(source, 24)}.jsonl").open("w", encoding="utf-8")
                refused.write(_refusal(source, number, text, error))
    finally:
        if refused is not None:
            refused.close()
    table.rows_read += lines
    logger.info("read", extra={"source": source, "lines": lines, "accepted": len(table.rows) - before})


def _lines(path: Path, plan: RegressionPlan) -> Iterator[FieldsLine]:
    """Yield a file's lines; what makes the file as a whole unreadable is yielded as line 0."""
    with path.open("rb") as stream:
        try:
            yield from read_fields(
                stream,
                path.name,
                check_header=partial(check_columns, plan=plan, name=path.name),
                headers=plan.history.headers,
                dialect=plan.history.dialect,
            )
        except InvalidInputError as error:
            yield 0, "", error


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


def _refusal(source: str, number: int, text: str, error: InvalidInputError) -> str:
    document = {"source": source, "line": number, "reason": error.reason, "message": str(error), "text": text}
    return json.dumps(document, sort_keys=True) + "\n"
