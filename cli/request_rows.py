"""Files of request rows: what `watchkeeper invoke --file` asks the endpoint with."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.telemetry.cells import cell_text, names_shown, shown, with_decimal_point
from watchkeeper.telemetry.csv_rows import CsvRows
from watchkeeper.telemetry.decoding import TextFile
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
    if not path.is_file():
        raise InvalidInputError(f"{path}: no such file")
    with path.open("rb") as stream:
        text = TextFile(stream, str(path))
        if text.kind == "csv":
            rows = _csv_rows(CsvRows(text, dialect, (), any_width=True), dialect, features)
        else:
            stream.seek(0)
            records = TableFile(stream, str(path), dialect).records()
            rows = [_ordered(path, line, fields, features) for line, _, fields in records]
    if not rows:
        raise InvalidInputError(f"{path}: no rows")
    return rows


def _csv_rows(source: CsvRows, dialect: Dialect, features: Sequence[str] | None) -> list[str]:
    names: list[str] | None = None
    rows: list[str] = []
    for number, row in enumerate(source):
        if row.error is not None:
            raise InvalidInputError(f"{source.name}, line {row.line}: {row.error}")
        cells = [cell.strip() for cell in row.cells]
        if number == 0 and _is_header(cells, features):
            twice = next((name for at, name in enumerate(cells) if name in cells[:at]), None)
            if twice is not None:
                raise InvalidInputError(
                    f"{source.name}: {cells.count(twice)} columns are named {shown(twice)}"
                )
            names = cells
        elif names is not None:
            if len(cells) != len(names):
                raise InvalidInputError(
                    f"{source.name}, line {row.line}: {len(cells)} cells, the header has {len(names)} columns"
                )
            rows.append(_ordered(Path(source.name), row.line, dict(zip(names, cells, strict=True)), features))
        else:
            rows.append(_line(map(with_decimal_point, cells) if dialect.decimal == "," else cells))
    return rows


def _is_header(cells: Sequence[str], features: Sequence[str] | None) -> bool:
    known = set(ROW_COLUMNS if features is None else features)
    return len(known & set(cells)) > len(cells) / 2


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
