"""History files of telemetry: the records of a file as readings of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import IO

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.telemetry.csv_rows import header_error
from watchkeeper.telemetry.decoding import Kind
from watchkeeper.telemetry.dialect import Fields, FieldsLine, read_fields
from watchkeeper.telemetry.records import Record, record_of

ReadLine = tuple[int, str, "Record | InvalidInputError"]
"""Line number (from 1), the line as it was written, and what it says or why it is refused."""


def read_history(
    stream: IO[bytes], plan: WorkloadPlan, name: str, *, kind: Kind | None = None
) -> Iterator[ReadLine]:
    """Read a history file; see `watchkeeper.telemetry.dialect.TableFile`.

    Raises
    ------
    InvalidInputError
        If the file as a whole cannot be read, or its header is without the plan's columns (`missing_column`).
        What is wrong with one line is yielded in its place, not raised.
    """
    for number, text, fields in read_history_fields(stream, plan, name, kind=kind):
        yield number, text, record_or_refusal(fields, plan)


def read_history_fields(
    stream: IO[bytes], plan: WorkloadPlan, name: str, *, kind: Kind | None = None
) -> Iterator[FieldsLine]:
    """Read a history file's records as they are; see `read_history`."""
    check = partial(_check_header, plan=plan, name=name)
    return read_fields(stream, name, check_header=check, kind=kind)


def record_or_refusal(fields: Fields | InvalidInputError, plan: WorkloadPlan) -> Record | InvalidInputError:
    """Return what a line's fields say, or why it is refused."""
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
        raise header_error(name, missing[0], header)
