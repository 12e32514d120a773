"""History files of telemetry: CSV with a header or JSON lines, plain or gzipped, read line by line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import IO

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.telemetry.dialect import Fields, read_fields
from watchkeeper.telemetry.records import Record, record_of

ReadLine = tuple[int, str, "Record | InvalidInputError"]
"""Line number (from 1), the line as it was written, and what it says or why it is refused."""


def read_history(stream: IO[bytes], plan: WorkloadPlan, name: str) -> Iterator[ReadLine]:
    """Read a history file; its name tells its format.

    `.csv` with a header, or `.jsonl`, `.ndjson`, `.json` with one JSON object a line; each with or
    without `.gz`.

    Raises
    ------
    InvalidInputError
        If the file as a whole cannot be read: unknown kind (reason `unknown_format`), damaged gzip
        (`corrupt_gzip`), a CSV header without the plan's columns (`missing_column`). What is wrong with
        one line is yielded in its place, not raised.
    """
    lines = read_fields(stream, name, check_header=partial(_check_header, plan=plan, name=name))
    return ((number, raw, _record(fields, plan)) for number, raw, fields in lines)


def _record(fields: Fields | InvalidInputError, plan: WorkloadPlan) -> Record | InvalidInputError:
    if isinstance(fields, InvalidInputError):
        return fields
    try:
        return record_of(fields, plan)
    except InvalidInputError as error:
        return error


def _check_header(header: list[str], *, plan: WorkloadPlan, name: str) -> None:
    needed = [plan.timestamp.field, *plan.dimensions]
    if plan.record_id_field is not None:
        needed.append(plan.record_id_field)
    missing = [column for column in needed if column not in header]
    measures = sorted({measure.field for measure in plan.measures})
    if not missing and not any(column in header for column in measures):
        missing = measures
    if missing:
        raise InvalidInputError(
            f"{name}:1: the header has no column {missing[0]!r}; "
            f"its columns are {', '.join(map(repr, header)) or 'none'}",
            reason="missing_column",
        )
