"""Rows of text become transactions, a batch at a time.

`watchkeeper.fraud.transaction` says what a row means. Cells that surely read the same are taken a column at a
time by Arrow, many times as fast; a row with any other cell is read by it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.features import Floats, category_hash, row_features
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.transaction import (
    MAX_ID_LENGTH,
    MAX_TEXT_LENGTH,
    Transaction,
    read_label,
    read_time,
    read_transaction,
)
from watchkeeper.telemetry.cells import MAX_MAGNITUDE, MISSING, with_decimal_point

FRAUD, LEGITIMATE, UNKNOWN = 1, 0, -1
"""How a label is written."""
BROKEN, FILE, ORIGIN = "_broken", "_file", "_origin"
"""Columns of input beside the plan's: the text of a line that is no row, the file, and whether a row is of
the history (0) or came through the API (1)."""

_NUMBER = r"^-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$"
_SPACE = " \t"

PARSED = pa.schema(
    [
        ("id", pa.string()),
        ("time", pa.float64()),
        ("amount", pa.float64()),
        ("numeric", pa.list_(pa.float64())),
        ("categorical", pa.list_(pa.string())),
        ("entities", pa.list_(pa.string())),
        ("label", pa.int8()),
        ("known_at", pa.float64()),
        ("row", pa.list_(pa.float32())),
        ("origin", pa.int8()),
        ("file", pa.string()),
        ("reason", pa.string()),
        ("message", pa.string()),
        ("source", pa.string()),
    ]
)
"""Of what `read` returns: `row` is what a vector has of the row alone. A refused row has reason, message and
source, its cells as JSON; the others have none of these three."""


def input_columns(plan: FraudPlan) -> list[str]:
    """Return the names of the columns of text that `read` takes."""
    return [*plan.fields, *([] if plan.label.field in plan.fields else [plan.label.field])]


def read(batch: pa.RecordBatch, plan: FraudPlan) -> pa.RecordBatch:
    """Return the transactions of rows of text, and why others are refused.

    Parameters
    ----------
    batch
        The columns of `input_columns`, and `BROKEN`, `FILE` and `ORIGIN`.

    Returns
    -------
    RecordBatch
        Of the schema `PARSED`, a row for each given one.
    """
    columns = _Columns(batch)
    found = _found(columns, plan)
    errors: dict[int, InvalidInputError] = {}
    for at in map(int, np.flatnonzero(columns.slow)):
        try:
            fields = _fields(at, batch, plan)
            found.take(at, read_transaction(fields, plan), read_label(fields, plan), plan)
        except InvalidInputError as error:  # noqa: PERF203  # few rows come here
            errors[at] = error
    return _written(found, batch, plan, errors)


@dataclass
class _Columns:
    """A batch's cells, read a column at a time; `slow` are the rows that are to be read by themselves."""

    batch: pa.RecordBatch
    slow: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.slow = _truth(pc.is_valid(self.batch.column(BROKEN)))

    def texts(self, name: str, most: int = MAX_TEXT_LENGTH) -> pa.Array:
        """Return a column's texts; null where there is none."""
        cells = self._cells(name)
        self.slow |= ~_truth(pc.match_substring_regex(cells, rf"^[\x20-\x7e]{{1,{most}}}$"), of_none=True)
        return pc.replace_substring_regex(cells, r"^(-?[0-9]+)\.0+$", r"\1")

    def numbers(self, name: str) -> Floats:
        """Return a column's numbers; NaN where there is none."""
        cells = self._cells(name)
        fits = _truth(pc.match_substring_regex(cells, _NUMBER))
        others = ~fits
        if others.any():
            self.slow |= others & ~_truth(
                pc.is_in(pc.ascii_lower(cells), pa.array(sorted(MISSING))), of_none=True
            )
        kept = pc.if_else(pa.array(fits), cells, pa.scalar(None, pa.string()))
        values: Floats = np.array(pc.cast(kept, pa.float64()).to_numpy(zero_copy_only=False))
        beyond = np.abs(values) > MAX_MAGNITUDE
        self.slow |= beyond
        values[beyond] = np.nan
        return values

    def times(self, plan: FraudPlan) -> Floats:
        """Return the times; NaN in rows that are to be read by themselves."""
        cells = self.batch.column(plan.timestamp.field).to_pylist()
        values = np.full(len(cells), np.nan)
        for at, cell in enumerate(cells):
            try:
                values[at] = read_time(cell, plan)
            except InvalidInputError:  # noqa: PERF203  # a time is its own
                self.slow[at] = True
        return values

    def _cells(self, name: str) -> pa.Array:
        cells = pc.ascii_trim(self.batch.column(name), _SPACE)
        return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)


@dataclass
class _Found:
    """Columns of a batch as they were read; single rows are put in afterwards."""

    ids: list[str | None]
    times: Floats
    amounts: Floats
    numeric: Floats
    categorical: list[list[str | None]]
    """By column."""
    entities: list[list[str | None]]
    """By relation."""
    labels: NDArray[np.int8]

    def take(self, at: int, read: Transaction, fraud: bool | None, plan: FraudPlan) -> None:
        """Put in a row that was read by itself."""
        self.ids[at], self.times[at], self.amounts[at] = read.id, read.time, read.amount
        self.numeric[at] = [np.nan if value is None else value for value in read.numeric]
        for column, value in zip(self.categorical, read.categorical, strict=True):
            column[at] = value
        for keys, relation in zip(self.entities, plan.relations, strict=True):
            keys[at] = read.entities.get(relation.name)
        self.labels[at] = UNKNOWN if fraud is None else FRAUD if fraud else LEGITIMATE


def _found(columns: _Columns, plan: FraudPlan) -> _Found:
    if plan.history.dialect.decimal != ".":
        columns.slow[:] = True
    n = columns.batch.num_rows
    ids, amounts = columns.texts(plan.id_field, MAX_ID_LENGTH), columns.numbers(plan.amount_field)
    columns.slow |= _truth(pc.is_null(ids)) | np.isnan(amounts) | (amounts < 0)
    labels, said = np.full(n, UNKNOWN, np.int8), columns.texts(plan.label.field)
    for values, label in ((plan.label.fraud, FRAUD), (plan.label.legitimate, LEGITIMATE)):
        labels[_truth(pc.is_in(said, pa.array(values, pa.string())))] = label
    named = [*plan.categorical, *(column for relation in plan.relations for column in relation.columns)]
    texts = {name: columns.texts(name) for name in dict.fromkeys(named)}
    numeric = [columns.numbers(name) for name in plan.numeric]
    return _Found(
        ids=ids.to_pylist(),
        times=columns.times(plan),
        amounts=amounts,
        numeric=np.column_stack(numeric) if numeric else np.empty((n, 0)),
        categorical=[texts[name].to_pylist() for name in plan.categorical],
        entities=[_keys([texts[name] for name in relation.columns]) for relation in plan.relations],
        labels=labels,
    )


def _keys(parts: list[pa.Array]) -> list[str | None]:
    """Return the keys of entities; see `watchkeeper.fraud.transaction`."""
    if len(parts) > 1:
        parts = [pc.replace_substring(pc.replace_substring(part, "\\", "\\\\"), "|", "\\|") for part in parts]
        parts = [pc.binary_join_element_wise(*parts, "|", null_handling="emit_null")]
    keys: list[str | None] = parts[0].to_pylist()
    return keys


def _fields(at: int, batch: pa.RecordBatch, plan: FraudPlan) -> dict[str, Any]:
    """Return one row's cells by name.

    Raises
    ------
    InvalidInputError
        If it is no row at all.
    """
    broken = batch.column(BROKEN)[at].as_py()
    if broken is not None:
        raise InvalidInputError(
            "the line has more or fewer cells than the header, or is not JSON", reason="bad_row"
        )
    fields = {name: batch.column(name)[at].as_py() for name in input_columns(plan)}
    if plan.history.dialect.decimal == ",":
        fields = {name: cell and with_decimal_point(cell) for name, cell in fields.items()}
    return fields


def _written(
    found: _Found, batch: pa.RecordBatch, plan: FraudPlan, errors: Mapping[int, InvalidInputError]
) -> pa.RecordBatch:
    n = batch.num_rows
    hashes = np.column_stack([_hashes(column) for column in found.categorical] or [np.empty((n, 0))])
    rows = row_features(found.times, found.amounts, found.numeric, hashes).astype(np.float32)
    known_at = np.where(found.labels == UNKNOWN, np.nan, found.times + plan.label.delay_seconds)
    reasons: list[str | None] = [None] * n
    messages, sources = reasons.copy(), reasons.copy()
    for at, error in errors.items():
        reasons[at], messages[at] = error.reason, str(error)
        sources[at] = batch.column(BROKEN)[at].as_py() or _as_json(at, batch, plan)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(found.ids, pa.string()),
            pa.array(found.times),
            pa.array(found.amounts),
            _lists(found.numeric, pa.float64(), nan_is_null=True),
            _texts_by_row(found.categorical, n),
            _texts_by_row(found.entities, n),
            pa.array(found.labels),
            pa.array(known_at, from_pandas=True),
            _lists(rows, pa.float32()),
            batch.column(ORIGIN).cast(pa.int8()),
            batch.column(FILE).cast(pa.string()),
            pa.array(reasons, pa.string()),
            pa.array(messages, pa.string()),
            pa.array(sources, pa.string()),
        ],
        schema=PARSED,
    )


def _hashes(column: list[str | None]) -> Floats:
    known = {value: category_hash(value) for value in set(column)}
    return np.array([known[value] for value in column])


def _lists(values: NDArray[Any], kind: Any, *, nan_is_null: bool = False) -> Any:
    n, width = values.shape
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), kind, from_pandas=nan_is_null)
    return pa.ListArray.from_arrays(pa.array(np.arange(n + 1) * width, pa.int32()), flat)


def _texts_by_row(columns: list[list[str | None]], n: int) -> Any:
    flat = [value for row in zip(*columns, strict=True) for value in row] if columns else []
    offsets = pa.array(np.arange(n + 1) * len(columns), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(flat, pa.string()))


def _as_json(at: int, batch: pa.RecordBatch, plan: FraudPlan) -> str:
    return json.dumps({name: batch.column(name)[at].as_py() for name in input_columns(plan)})


def _truth(values: Any, *, of_none: bool = False) -> NDArray[np.bool_]:
    filled = pc.fill_null(values, of_none) if values.null_count else values
    return np.array(filled.to_numpy(zero_copy_only=False), bool)
