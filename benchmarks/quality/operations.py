"""Public labelled sets of server operations: KPIs one by one, and an application's metrics together.

They are development data beside the development half of NAB. Both are read from `$WATCHKEEPER_DATA_DIR`
alone: nothing states where else a checked copy is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from sklearn.metrics import average_precision_score

from benchmarks.quality.corpus import LabelledSeries
from watchkeeper.detectors.streaming.detector import score_series

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
DELAY_ROWS = 7
_METRICS_INTERVAL = np.timedelta64(300, "s")
_METRICS_START = np.datetime64("2026-03-02T00:00:00", "s")


@dataclass(frozen=True)
class LabelledTable:
    """The metrics of one application: the labels are of the rows from `first_test_row` on."""

    name: str
    timestamps: npt.NDArray[np.datetime64]
    values: FloatArray
    labels: BoolArray
    first_test_row: int


def load_kpis() -> list[LabelledSeries]:
    """Return the labelled KPIs of servers, 1 and 5 minutes; none where the folder is not there."""
    found = []
    for path in _files("kpi"):
        table = pq.read_table(path)
        seconds = table["timestamp"].to_numpy().astype("datetime64[s]")
        windows = tuple(spans(table["label"].to_numpy() > 0))
        found.append(LabelledSeries(f"kpi/{path.stem}", seconds, table["value"].to_numpy(), windows))
    return found


def load_application_metrics() -> list[LabelledTable]:
    """Return the metrics of applications, 19 columns each; none where the folder is not there."""
    found = []
    for path in _files("asd"):
        table = pq.read_table(path)
        names = [name for name in table.column_names if name not in ("label", "part")]
        values = np.column_stack([table[name].to_numpy() for name in names]).astype(np.float64)
        first = int(np.argmax(np.array(table["part"].to_pylist()) == "test"))
        timestamps = _METRICS_START + np.arange(len(values)) * _METRICS_INTERVAL
        labels = table["label"].to_numpy() > 0
        found.append(LabelledTable(f"asd/{path.stem}", timestamps, values, labels, first))
    return found


@dataclass(frozen=True)
class MetricsSummary:
    """What alerts on the test parts of several tables are worth; an alert is a row that is an anomaly."""

    tables: int
    average_precision: float
    windows: int
    found: int
    false_alerts: int
    weeks: float

    @property
    def f1(self) -> float:
        """Harmonic mean of the recall of stretches and the precision of alerts; those in one count once."""
        return 2 * self.found / (self.found + self.windows + self.false_alerts)


def summarize_metrics(tables: Sequence[LabelledTable]) -> MetricsSummary:
    """Return what the streaming detector finds in tables, all columns together."""
    precisions, windows, found, false_alerts, weeks = [], 0, 0, 0, 0.0
    for table in tables:
        scores = score_series(table.timestamps, table.values)
        test = slice(table.first_test_row, None)
        labels, alerts = table.labels[test], scores.is_anomaly[test]
        precisions.append(average_precision_score(labels, scores.anomaly_score[test]))
        stretches = spans(labels)
        windows += len(stretches)
        found += sum(bool(alerts[first : last + 1].any()) for first, last in stretches)
        false_alerts += int((alerts & ~labels).sum())
        weeks += len(labels) * float(_METRICS_INTERVAL / np.timedelta64(7, "D"))
    return MetricsSummary(len(tables), float(np.mean(precisions)), windows, found, false_alerts, weeks)


def spans(labels: BoolArray) -> list[tuple[int, int]]:
    """Return the first and last row of each run of labelled rows."""
    edges = np.diff(np.concatenate(([0], labels.astype(np.int8), [0])))
    return list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1, strict=True))


def delay_f1(corpus: Sequence[LabelledSeries], scores: Sequence[FloatArray]) -> float:
    """Return the best F1 with one threshold on all series, as the AIOps challenge of 2018 counts.

    A labelled stretch with an alert in its first `DELAY_ROWS + 1` rows counts as found with all its rows, any
    other as missed with all of them. Rows before the end of the probation do not count.
    """
    levels: list[float] = []
    found: list[int] = []
    wrong: list[FloatArray] = []
    total = 0
    for series, score in zip(corpus, scores, strict=True):
        first_row = series.probation_rows
        for first, last in series.windows:
            if first >= first_row:
                levels.append(float(score[first : min(first + DELAY_ROWS, last) + 1].max()))
                found.append(last - first + 1)
                total += last - first + 1
        wrong.append(np.sort(score[first_row:][~series.labels[first_row:]]))
    ordinary = np.sort(np.concatenate(wrong))
    order = np.argsort(levels)[::-1]
    thresholds = np.array(levels)[order]
    true_rows = np.cumsum(np.array(found)[order])
    false_rows = len(ordinary) - np.searchsorted(ordinary, thresholds, side="left")
    f1 = 2 * true_rows / (true_rows + false_rows + total)
    return float(f1[thresholds > 0].max(initial=0.0))


def _files(folder: str) -> list[Path]:
    root = os.environ.get("WATCHKEEPER_DATA_DIR")
    return sorted((Path(root) / folder).glob("*.parquet")) if root else []
