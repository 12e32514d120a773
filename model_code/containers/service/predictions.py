"""The predictions file: one line a row of the feature file, in its order.

`row` counts from 0; `label` is 1 for an anomaly and 0 for the rest; `anomaly_score` is 0 to 1 and `severity`
0 to 100, higher is more anomalous. Where columns are judged each on its own, `label` is 1 when any is, score
and severity are the highest, and `NAME_label`, `NAME_anomaly_score` and `NAME_severity` follow for each
column; a name that a spreadsheet would take for a formula has an apostrophe before it. A row with a missing
value has label 0 and score 0.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from watchkeeper.detectors.protocol.scores import Scores
from watchkeeper.telemetry.cells import inert_text

COLUMNS = ("row", "label", "anomaly_score", "severity")
DIGITS = 9


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
        names = (f"{name}_{what}" for name in columns for what in COLUMNS[1:])
        writer.writerow([*COLUMNS, *map(inert_text, names)])

    def write(self, whole: Scores, of_columns: Sequence[Scores] = ()) -> None:
        """Append rows."""
        columns: list[list[Any]] = [list(range(self._rows, self._rows + len(whole)))]
        for scores in (whole, *of_columns):
            columns += [
                scores.is_anomaly.astype(np.int64).tolist(),
                np.round(scores.anomaly_score, DIGITS).tolist(),
                np.round(scores.severity, DIGITS).tolist(),
            ]
        line = ",".join(["%d", *("%d,%r,%r" for _ in range(len(of_columns) + 1))]) + "\n"
        self._file.writelines(map(line.__mod__, zip(*columns, strict=True)))
        self._rows += len(whole)

    def __exit__(self, *_: object) -> None:
        self._file.close()
