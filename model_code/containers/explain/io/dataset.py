"""The rows that are analysed, and the baseline: files as tables of numbers and categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from containers.explain.io.configuration import AnalysisConfiguration, resolve_column
from containers.explain.io.sections import Cell
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.telemetry.cells import MISSING, names_shown
from watchkeeper.telemetry.dialect import TableFile


@dataclass(frozen=True)
class Dataset:
    """A table, and what its columns are for."""

    table: pd.DataFrame
    """All columns: float64 or int64 where every cell is a number, else text; missing cells are NaN."""
    features: tuple[str, ...]
    """Columns that the model is given, in order."""
    label: str | None
    predicted_label: str | None
    join_source: str | None

    @property
    def rows(self) -> pd.DataFrame:
        """The features of each row."""
        return self.table[list(self.features)]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(self.table.columns)


def read_dataset(folder: Path, configuration: AnalysisConfiguration) -> Dataset:
    """Read every file of a folder, in the order of their names, as one table.

    A first row of CSV that names the configured headers, in whatever order, is not a row of data. Without
    headers the columns of CSV are `column_0`, `column_1` and so on, as Clarify names them. JSON and Parquet
    name theirs themselves.

    Raises
    ------
    ContractViolationError
        If the folder has no file.
    InvalidInputError
        If rows and headers do not fit, or a configured column is not there; names file, row and column.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise ContractViolationError(f"{folder}: the input has no file")
    table = pd.concat([_read(path, configuration.headers) for path in files], ignore_index=True)
    names = tuple(table.columns)
    label, predicted, join_source = (
        None if reference is None else resolve_column(key, reference, names)
        for key, reference in (
            ("label", configuration.label),
            ("predicted_label", configuration.predicted_label),
            ("joinsource_name_or_index", configuration.joinsource_name_or_index),
        )
    )
    excluded = {resolve_column("excluded_columns", item, names) for item in configuration.excluded_columns}
    features = tuple(
        name for name in names if name not in excluded and name not in (label, predicted, join_source)
    )
    if not features:
        raise InvalidInputError("no column is left for the model", reason="no_features")
    typed = _typed(table)
    empty = [name for name in features if typed[name].isna().all()]
    if empty:
        raise InvalidInputError(
            f"{', '.join(path.name for path in files[:3])}: column {empty[0]!r} has not one value in "
            f"{len(typed):,} rows: leave it out by excluded_columns",
            reason="no_features",
        )
    return Dataset(typed, features, label, predicted, join_source)


def read_baseline(path: Path, dataset: Dataset) -> pd.DataFrame:
    """Read a file of baseline rows: the features in their order, with or without their names as first row.

    Raises
    ------
    InvalidInputError
        If its rows do not fit the features.
    """
    return _like(_read(path, dataset.features), dataset, f"methods.shap.baseline: {path.name}")


def baseline_of_rows(rows: Sequence[Sequence[Cell]], dataset: Dataset) -> pd.DataFrame:
    """Return the rows of a configuration as a table of the features.

    Raises
    ------
    InvalidInputError
        If they do not fit the features.
    """
    if len(rows[0]) != len(dataset.features):
        raise InvalidInputError(
            f"methods.shap.baseline: a row has {len(rows[0])} cells, there are {len(dataset.features)} "
            f"features: {', '.join(dataset.features)}",
            reason="baseline",
        )
    text = [["" if cell is None else str(cell) for cell in row] for row in rows]
    return _like(pd.DataFrame(text, columns=list(dataset.features)), dataset, "methods.shap.baseline")


def cells(column: pd.Series) -> NDArray[np.object_]:
    """Return a column's cells as Python's own numbers and text; a missing one is None."""
    values: NDArray[np.object_] = column.to_numpy(dtype=object)
    missing = pd.isna(column).to_numpy()
    if not missing.any():
        return values
    values = values.copy()
    values[missing] = None
    return values


def is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers."""
    return bool(pd.api.types.is_numeric_dtype(column))


def _read(path: Path, headers: tuple[str, ...] | None) -> pd.DataFrame:
    with path.open("rb") as stream:
        file = TableFile(stream, path.name, headers=headers or _clarify_names)
        chunks = list(file.chunks())
    if not chunks:
        raise InvalidInputError(f"{path.name} has no rows", reason="no_rows")
    names = chunks[0].header
    if headers is not None and set(headers) != set(names):
        raise InvalidInputError(
            f"{path.name} has the columns {names_shown(names)}; the configuration has {names_shown(headers)}",
            reason="data_width",
        )
    table = pd.DataFrame([row for chunk in chunks for row in chunk.rows], columns=names)
    return table if headers is None else table[list(headers)]


def _clarify_names(cells: Sequence[str]) -> list[str]:
    return [f"column_{index}" for index in range(len(cells))]


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: _typed_column(table[name]) for name in table.columns})


def _typed_column(column: pd.Series) -> pd.Series:
    text = column.str.strip()
    missing = text.str.lower().isin(MISSING)
    numbers = pd.to_numeric(text.mask(missing), errors="coerce").astype("float64")
    if (numbers.isna() & ~missing).any() or np.isinf(numbers).any():
        return text.astype(object).mask(text == "", np.nan)
    if not missing.any() and text.str.fullmatch(r"[+-]?\d{1,15}").all():
        return numbers.astype("int64")
    return numbers


def _like(table: pd.DataFrame, dataset: Dataset, where: str) -> pd.DataFrame:
    """Give a table's columns the kinds of the data set's."""
    columns = {}
    for name in dataset.features:
        typed = _typed_column(table[name])
        if is_number(dataset.table[name]):
            if not is_number(typed) and not typed.isna().all():
                example = next(cell for cell in typed if isinstance(cell, str))
                raise InvalidInputError(
                    f"{where}: {name} is a column of numbers, and the baseline has {example!r}",
                    reason="baseline",
                )
            columns[name] = typed if is_number(typed) else typed.astype("float64")
        else:
            columns[name] = table[name].str.strip().astype(object).mask(table[name].str.strip() == "", np.nan)
    return pd.DataFrame(columns)
