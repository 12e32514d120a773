"""Files of request rows: what `watchkeeper invoke --file` asks the endpoint with."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.telemetry.cells import cell_text, names_shown, with_decimal_point
from watchkeeper.telemetry.csv_rows import CsvRows
from watchkeeper.telemetry.decoding import TextFile, open_file
from watchkeeper.telemetry.dialect import TableFile

ROW_COLUMNS = ("timestamp", "series", "value", *(f"lag_{number}" for number in range(1, 257)))
_FEWEST_ROW_COLUMNS = ("timestamp", "value")


def read_request_rows(path: Path, dialect: Dialect, features: Sequence[str] | None = None) -> list[str]:
    """Return a file's rows as lines of CSV, as an endpoint takes them.

    A header line is read by name, in whatever order; without one, cells are taken by position.

    Parameters
    ----------
    features
        The columns of a table's rows, in the order of a request; None for rows of telemetry.

    Raises
    ------
    InvalidInputError
        If the file cannot be read or has no row; names the line.
    """
    with open_file(path) as stream:
        text = TextFile(stream, str(path))
        if text.kind == "csv":
            rows = _csv_rows(CsvRows(text, dialect, partial(_names, features)), dialect, features)
        else:
            stream.seek(0)
            records = TableFile(stream, str(path), dialect).records()
            rows = [_ordered(path, line, fields, features) for line, _, fields in records]
    if not rows:
        raise InvalidInputError(f"{path}: no rows")
    return rows


def _csv_rows(source: CsvRows, dialect: Dialect, features: Sequence[str] | None) -> list[str]:
    rows: list[str] = []
    for row in source:
        if row.error is not None:
            raise InvalidInputError(f"{source.name}, line {row.line}: {row.error}")
        cells = [with_decimal_point(cell) if dialect.decimal == "," else cell.strip() for cell in row.cells]
        if source.header:
            fields = dict(zip(source.header, cells, strict=True))
            rows.append(_ordered(Path(source.name), row.line, fields, features))
        else:
            rows.append(_line(cells))
    return rows


def _names(features: Sequence[str] | None, cells: Sequence[str]) -> tuple[()] | None:
    """Tell by its cells whether a first line is a header, which names most of what is known."""
    known = set(ROW_COLUMNS if features is None else features)
    return None if len(known & set(cells)) > len(cells) / 2 else ()


def _ordered(path: Path, line: int, fields: dict[str, Any] | InvalidInputError, features: Any) -> str:
    if isinstance(fields, InvalidInputError):
        raise InvalidInputError(f"{path}, line {line}: {fields}")
    lags = fields.get("lags")
    if features is None and isinstance(lags, list):
        fields = {**fields, **{f"lag_{number}": lag for number, lag in enumerate(lags, start=1)}}
    absent = [name for name in features or _FEWEST_ROW_COLUMNS if name not in fields]
    if absent:
        raise InvalidInputError(
            f"{path}, line {line}: no {absent[0]!r}; there are {names_shown(list(fields))}"
        )
    return _line(cell_text(fields[name]) for name in features or ROW_COLUMNS if name in fields)


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return re.sub(r"[\r\n]+", " ", line.getvalue())
