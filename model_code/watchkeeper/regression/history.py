"""History files of a table: the records of a file as rows with their target, or why they are refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import IO

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import check_unit, parse_timestamp
from watchkeeper.regression.plan import RegressionPlan
from watchkeeper.regression.rows import check_columns, labelled_row
from watchkeeper.regression.split import LabelledRow
from watchkeeper.telemetry.dialect import Fields, read_fields

HistoryRow = tuple[int, str, LabelledRow | InvalidInputError]
"""Line, from 1; its text; and what it says, or why it is refused."""


def read_history(stream: IO[bytes], plan: RegressionPlan, name: str) -> Iterator[HistoryRow]:
    """Read the rows of a file.

    Parameters
    ----------
    name
        What messages call the file.

    Raises
    ------
    InvalidInputError
        If the file cannot be read as a whole (see `watchkeeper.telemetry.dialect.TableFile`), lacks a column
        (`missing_column`) or, at the end, has all its times in January 1970 (`bad_timestamp`).
    """
    history = plan.history
    times: list[datetime] = []
    """The first and the last."""
    for line, text, fields in read_fields(
        stream,
        name,
        check_header=partial(check_columns, plan=plan, name=name),
        headers=history.headers,
        dialect=history.dialect,
    ):
        outcome = _outcome(fields, plan)
        if isinstance(outcome, LabelledRow) and outcome.time is not None:
            times = [min([outcome.time, *times[:1]]), max([outcome.time, *times[1:]])]
        yield line, text, outcome
    if times and history.timestamp is not None:
        check_unit(name, times[0], times[-1], history.timestamp)


def _outcome(fields: Fields | InvalidInputError, plan: RegressionPlan) -> LabelledRow | InvalidInputError:
    if isinstance(fields, InvalidInputError):
        return fields
    timestamp = plan.history.timestamp
    try:
        target, features = labelled_row(fields, plan)
        time = parse_timestamp(fields.get(timestamp.field), timestamp) if timestamp else None
    except InvalidInputError as error:
        return error
    return LabelledRow(target, features, time)
