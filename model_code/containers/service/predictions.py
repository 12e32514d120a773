"""The predictions file: one line a row of the feature file, in its order.

`row` counts from 0; `label` is 1 for an anomaly and 0 for the rest; `anomaly_score` is 0 to 1 and `severity`
0 to 100, higher is more anomalous. Where columns are judged each on its own, `label` is 1 when any is, score
and severity are the highest, and `NAME_label`, `NAME_anomaly_score` and `NAME_severity` follow for each
column. A row with a missing value has label 0 and score 0.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

COLUMNS = ("row", "label", "anomaly_score", "severity")
DIGITS = 9


@dataclass(frozen=True)
class Verdict:
    """What the file says of rows; arrays have shape (n_rows,)."""

    label: npt.NDArray[np.bool_]
    anomaly_score: FloatArray
    severity: FloatArray

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class Judgement(Verdict):
    """What a detector says of rows."""

    raw: FloatArray
    """The method's own score, which ranks more finely; -inf where a value is missing."""

    def rows(self, chosen: slice | npt.NDArray[np.int64]) -> Judgement:
        """Return some of the rows."""
        return Judgement(
            self.label[chosen], self.anomaly_score[chosen], self.severity[chosen], self.raw[chosen]
        )


def joined(parts: Sequence[Judgement]) -> Judgement:
    """Return consecutive judgements as one."""
    return Judgement(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("label", "anomaly_score", "severity", "raw")
        )
    )


class PredictionsFile(AbstractContextManager["PredictionsFile"]):
    """Writes a predictions file part by part.

    Parameters
    ----------
    path
    columns
        Names of the columns that are judged each on its own; none for rows that are judged as a whole.
    """

    def __init__(self, path: Path, columns: Sequence[str] = ()) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = 0
        writer = csv.writer(self._file, lineterminator="\n")
        writer.writerow([*COLUMNS, *(f"{name}_{what}" for name in columns for what in COLUMNS[1:])])

    def write(self, whole: Verdict, of_columns: Sequence[Verdict] = ()) -> None:
        """Append rows."""
        columns: list[list[Any]] = [list(range(self._rows, self._rows + len(whole)))]
        for verdict in (whole, *of_columns):
            columns += [
                verdict.label.astype(np.int64).tolist(),
                np.round(verdict.anomaly_score, DIGITS).tolist(),
                np.round(verdict.severity, DIGITS).tolist(),
            ]
        line = ",".join(["%d", *("%d,%r,%r" for _ in range(len(of_columns) + 1))]) + "\n"
        self._file.writelines(map(line.__mod__, zip(*columns, strict=True)))
        self._rows += len(whole)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
