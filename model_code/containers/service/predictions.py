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

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

COLUMNS = ("row", "label", "anomaly_score", "severity")
DIGITS = 9


@dataclass(frozen=True)
class Judgement:
    """What a detector says of rows; arrays have shape (n_rows,)."""

    label: npt.NDArray[np.bool_]
    anomaly_score: FloatArray
    severity: FloatArray
    raw: FloatArray
    """The method's own score, which ranks more finely; -inf where a value is missing."""

    def __len__(self) -> int:
        return len(self.label)

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

    def write(self, whole: Judgement, of_columns: Sequence[Judgement] = ()) -> None:
        """Append rows."""
        import pandas

        columns: list[npt.NDArray[np.int64] | FloatArray] = [np.arange(self._rows, self._rows + len(whole))]
        for judgement in (whole, *of_columns):
            columns += [
                judgement.label.astype(np.int64),
                np.round(judgement.anomaly_score, DIGITS),
                np.round(judgement.severity, DIGITS),
            ]
        pandas.DataFrame(dict(enumerate(columns))).to_csv(
            self._file, header=False, index=False, lineterminator="\n"
        )
        self._rows += len(whole)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
