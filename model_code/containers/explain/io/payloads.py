"""Requests to the model: rows in the configured content type."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from containers.explain.io.dataset import cells
from containers.explain.io.predictor_settings import CSV, JSONLINES, PredictorSettings

_RECORDS = "$records"


def payloads(
    rows: pd.DataFrame, settings: PredictorSettings, *, max_rows: int, max_bytes: int
) -> Iterator[tuple[bytes, int]]:
    """Yield requests that hold all rows, in order, each with its number of rows.

    Parameters
    ----------
    max_rows, max_bytes
        Of a request; a single row that is larger is sent alone.
    """
    if settings.content_type not in (CSV, JSONLINES) and _RECORDS not in (settings.content_template or ""):
        max_rows = 1  # the template has room for one record
    records = _records(rows, settings)
    batch: list[str] = []
    size = 0
    for record in records:
        length = len(record.encode()) + 1
        if batch and (len(batch) == max_rows or size + length > max_bytes):
            yield _join(batch, settings), len(batch)
            batch, size = [], 0
        batch.append(record)
        size += length
    if batch:
        yield _join(batch, settings), len(batch)


def _records(rows: pd.DataFrame, settings: PredictorSettings) -> Iterator[str]:
    table = zip(*(cells(rows[name]).tolist() for name in rows.columns), strict=True)
    if settings.content_type == CSV:
        yield from _csv_lines(table)
        return
    names = [str(name) for name in rows.columns]
    template = (
        settings.content_template if settings.content_type == JSONLINES else settings.record_template
    ) or ""
    for row in table:
        yield fill_record(template, names, row)


def fill_record(template: str, names: Sequence[str], row: Sequence[Any]) -> str:
    """Put a row into a template.

    `$features` becomes the list of values, `$feature_names` that of names, `$features_kvp` the names with
    their values (as an object where the placeholder stands alone), and `"${NAME}"` one value.

    Examples
    --------
    >>> fill_record('{"instances": [$features]}', ["a", "b"], [1, "x"])
    '{"instances": [[1, "x"]]}'
    >>> fill_record("$features_kvp", ["a", "b"], [1, 2.5])
    '{"a": 1, "b": 2.5}'
    >>> fill_record('{"A": "${a}"}', ["a", "b"], [1, 2.5])
    '{"A": 1}'
    """
    values = [_plain(cell) for cell in row]
    pairs = json.dumps(dict(zip(names, values, strict=True)))
    text = template
    for name, value in zip(names, values, strict=True):
        text = text.replace(f'"${{{name}}}"', json.dumps(value))
    bare = text.strip() == "$features_kvp"
    text = text.replace("$features_kvp", pairs if bare or "{$features_kvp" not in text else pairs[1:-1])
    text = text.replace("$feature_names", json.dumps(list(names)))
    return text.replace("$features", json.dumps(values))


def _join(batch: Sequence[str], settings: PredictorSettings) -> bytes:
    if settings.content_type in (CSV, JSONLINES):
        return "\n".join(batch).encode()
    template = settings.content_template or ""
    if _RECORDS in template:
        return template.replace(_RECORDS, f"[{', '.join(batch)}]").encode()
    return template.replace("$record", batch[0]).encode()


def _csv_lines(table: Iterator[tuple[Any, ...]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="")
    for row in table:
        writer.writerow(row)  # a float is written so that reading it gives the same number
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _plain(cell: Any) -> Any:
    return cell.item() if isinstance(cell, np.generic) else cell
