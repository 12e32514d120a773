"""Rows of a table: what training reads from history, and what the endpoint is asked with.

A request row is one line of CSV with the features in the plan's order. One definition checks both, so that a
row which trained can be asked for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.regression.plan import ColumnPlan, RegressionPlan
from watchkeeper.telemetry.cells import is_empty, is_missing, parse_number, shown
from watchkeeper.telemetry.csv_rows import header_error
from watchkeeper.telemetry.payloads import Instance

Features = tuple[float | str, ...]
"""One value a feature, in the plan's order: numbers of numeric columns, text of one-hot columns."""

MAX_CATEGORY_LENGTH = 128


def check_columns(header: list[str], *, plan: RegressionPlan, name: str) -> None:
    """Check that a file's columns are enough to learn from.

    Raises
    ------
    InvalidInputError
        Naming the first that is missing, with reason `missing_column`.
    """
    timestamp = plan.history.timestamp
    needed = [plan.target, *plan.feature_names, *([timestamp.field] if timestamp else [])]
    missing = [column for column in needed if column not in header]
    if missing:
        error = header_error(name, missing[0], header)
        raise InvalidInputError(
            f"{error}; name those of a file without a header line in history.headers", reason=error.reason
        )


def labelled_row(fields: Mapping[str, Any], plan: RegressionPlan) -> tuple[float, Features]:
    """Read the target and the features of a record of the history.

    Raises
    ------
    InvalidInputError
        Naming the column, with reason `missing_value`, `not_a_number`, `not_finite`, `out_of_range` or
        `bad_category`.
    """
    target = _number(fields.get(plan.target), plan.target)
    return target, tuple(_value(fields.get(column.name), column) for column in plan.features)


def features_of(cells: Sequence[Any], plan: RegressionPlan) -> Features:
    """Read the features of a request row's cells.

    Raises
    ------
    InvalidInputError
        As `labelled_row`, or with reason `wrong_width`.
    """
    if len(cells) != len(plan.features):
        raise InvalidInputError(
            f"{len(cells)} cells, the model takes {len(plan.features)}: {','.join(plan.feature_names)}",
            reason="wrong_width",
        )
    return tuple(_value(cell, column) for cell, column in zip(cells, plan.features, strict=True))


def cells_of(instance: Instance, plan: RegressionPlan) -> Sequence[Any]:
    """Return the cells of a request's instance, in the plan's order.

    Parameters
    ----------
    instance
        The cells of a line of CSV, or an object with a value by feature name.

    Raises
    ------
    InvalidInputError
        If an object has other fields.
    """
    if not isinstance(instance, Mapping):
        return instance
    unknown = sorted(set(instance) - set(plan.feature_names))
    absent = [name for name in plan.feature_names if name not in instance]
    if unknown or absent:
        wrong = f"unknown field {unknown[0]!r}" if unknown else f"no field {absent[0]!r}"
        raise InvalidInputError(f"{wrong}; a record has {', '.join(plan.feature_names)}")
    return [instance[name] for name in plan.feature_names]


def format_cells(values: Iterable[float | str]) -> str:
    """Write a row as a line of CSV; numbers are written so that they read back as the same float."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(
        [value if isinstance(value, str) else repr(value) for value in values]
    )
    return line.getvalue()


def _value(value: Any, column: ColumnPlan) -> float | str:
    return _number(value, column.name) if column.encoding == "numeric" else _category(value, column.name)


def _number(value: Any, name: str) -> float:
    _must_be_there(is_missing(value), name)
    return parse_number(value, f"column {name!r}")


def _category(value: Any, name: str) -> str:
    _must_be_there(is_empty(value), name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidInputError(
            f"column {name!r}: {shown(value)} is neither text nor a whole number", reason="bad_category"
        )
    text = str(value).strip()
    if len(text) > MAX_CATEGORY_LENGTH or not text.isprintable():
        raise InvalidInputError(
            f"column {name!r}: a category is printable text of at most {MAX_CATEGORY_LENGTH} characters",
            reason="bad_category",
        )
    return text


def _must_be_there(missing: bool, name: str) -> None:
    if missing:
        raise InvalidInputError(f"column {name!r} is empty", reason="missing_value")
