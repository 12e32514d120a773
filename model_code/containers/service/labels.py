"""A label file: one label a row of the feature file, 1 for an anomaly and 0 for the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from containers.service.tables import read_parts
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.telemetry.dialect import DIALECT

LABEL_NAMES = ("label", "labels", "anomaly", "is_anomaly", "outlier", "target", "y", "class")

Labels = npt.NDArray[np.bool_]


def read_labels(path: Path, n_rows: int, dialect: Dialect = DIALECT) -> Labels:
    """Read the labels of a table of so many rows, shape (n_rows,).

    The labels are the only column, or the one that is named `label`, `anomaly` or the like; a time before it
    does not count.

    Raises
    ------
    InvalidInputError
        If the file cannot be read as `tables` says, has several columns and none has such a name, another
        number of rows, or a label that is not 0 or 1 (reason `bad_labels`).
    """
    parts = list(read_parts(path, dialect))
    column = _label_column(path, parts[0].columns)
    values = np.concatenate([part.values[:, column] for part in parts])
    if len(values) != n_rows:
        raise InvalidInputError(
            f"{path.name} has {len(values)} labels, the features have {n_rows} rows: give one label a row",
            reason="bad_labels",
        )
    wrong = ~np.isin(values, (0.0, 1.0))
    if wrong.any():
        row = int(wrong.argmax())
        given = "has no label" if np.isnan(values[row]) else f"has the label {values[row]:g}"
        raise InvalidInputError(
            f"{path.name}: row {row} {given}; allowed are 1 for an anomaly and 0 for the rest",
            reason="bad_labels",
        )
    labels: Labels = values == 1.0
    return labels


def _label_column(path: Path, columns: tuple[str, ...]) -> int:
    if len(columns) == 1:
        return 0
    named = [at for at, name in enumerate(columns) if name.lower() in LABEL_NAMES]
    if len(named) != 1:
        raise InvalidInputError(
            f"{path.name} has the columns {', '.join(columns)}: give one column, or name one of them label",
            reason="bad_labels",
        )
    return named[0]
