"""Scores that the scoring loop has kept, from a file that `watchkeeper export` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cli.comparison.reading import ReadHistory
from watchkeeper.anomalies import merged
from watchkeeper.backtest.outcome import Version
from watchkeeper.backtest.scores import Closed, KeptSeries
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.judgement.moved import MovedThresholds
from watchkeeper.telemetry.columns import Intervals
from watchkeeper.telemetry.expectation import BAND_WIDTH, fit_step_scale
from watchkeeper.telemetry.labels import Labels
from watchkeeper.telemetry.selection import is_excluded
from watchkeeper.telemetry.series import parse_series_key

_READ = (
    *("series", "interval_start", "value", "expected", "lower", "upper"),
    *("anomaly_score", "confidence", "run_id"),
)


@dataclass(frozen=True, eq=False)
class KeptScores:
    """What one run's model has said, and what a user should know of that."""

    path: Path
    series: Mapping[str, KeptSeries]
    said: tuple[str, ...]

    def of(self, name: str, plan: WorkloadPlan) -> dict[str, KeptSeries]:
        """Return the series that a version watches.

        Raises
        ------
        InvalidInputError
            If there is none.
        """
        measures = {measure.name for measure in plan.measures}
        keys = {series: parse_series_key(series) for series in self.series}
        found = {
            series: self.series[series]
            for series, key in keys.items()
            if key.measure in measures and not is_excluded(plan, key.measure, dict(key.dimensions))
        }
        if not found:
            raise InvalidInputError(f"--scores {self.path}: no series of it is one that {name} watches")
        return found

    def history(self, name: str, plan: WorkloadPlan) -> ReadHistory:
        """Return the intervals of a version, as if a record of each place had made each."""
        intervals = {
            series: Intervals(
                one.closed.starts, one.closed.values, int(one.closed.starts[-1] + plan.interval_seconds)
            )
            for series, one in self.of(name, plan).items()
        }
        most: dict[object, int] = {}
        for series, one in intervals.items():
            place = parse_series_key(series).dimensions
            most[place] = max(most.get(place, 0), len(one.starts))
        files = {series: {self.path.name} for series in intervals}
        return ReadHistory(intervals, sum(most.values()), self.said, files)

    def version(
        self, name: str, plan: WorkloadPlan, labels: Labels | None, moved: MovedThresholds
    ) -> tuple[Version, str]:
        """Return a version over them, and what of the labels meets no interval.

        Raises
        ------
        InvalidInputError
            If its detector needs none of them, no series is watched, or no label meets an interval.
        """
        if plan.detector.is_streaming:
            raise InvalidInputError(
                f"{name}: the detector {plan.detector.algorithm} scores on this machine: name telemetry by "
                "--history in place of --scores"
            )
        closed = {series: one.closed for series, one in self.of(name, plan).items()}
        unmet = ""
        if labels is not None:
            starts = {series: one.starts.tolist() for series, one in closed.items()}
            files = {series: {self.path.name} for series in closed}
            labels, unmet = labels.fitted(starts, plan.interval_seconds, files)
        return Version(name, plan, closed, labels, moved), unmet


def read_kept(path: Path) -> KeptScores:
    """Read a file of scores; of several runs, the newest one's.

    Raises
    ------
    InvalidInputError
        If it is no file that `watchkeeper export` writes, or has no score of a model.
    """
    table = _table(path)
    columns = {name: table[name].to_numpy() for name in _READ[2:8]}
    starts = table["interval_start"].cast("int64").to_numpy() // 1000
    (names, series), (runs, run_ids) = (_coded(table[name]) for name in ("series", "run_id"))
    by_model = ~np.isnan(columns["anomaly_score"]) & ~np.isnan(columns["value"])
    unseen = by_model & ~np.isnan(columns["confidence"])
    by_model &= ~unseen
    if not by_model.any():
        raise InvalidInputError(f"--scores {path}: no interval in it has the score of a model")
    run = run_ids[by_model][np.argmax(starts[by_model])]
    earlier = by_model & (run_ids != run)
    chosen = np.flatnonzero(by_model & ~earlier)
    order = chosen[np.lexsort((starts[chosen], series[chosen]))]
    found: dict[str, KeptSeries] = {}
    begins = np.flatnonzero(np.concatenate(([True], np.diff(series[order]) != 0)))
    for rows in np.split(order, begins[1:]):
        one = {name: column[rows] for name, column in columns.items()}
        closed = Closed(starts[rows], one["value"])
        scale = _step_scale(one)
        found[names[series[rows[0]]]] = KeptSeries(closed, one["anomaly_score"], one["expected"], scale)
    left = {
        "of earlier runs": int(earlier.sum()),
        "of series that the model had not seen": int(unseen.sum()),
        "without a score": len(starts) - int(by_model.sum()) - int(unseen.sum()),
    }
    said = [f"{path}: {len(order):,} scores of {len(found):,} series by run {runs[run]}"]
    said += [f"left out: {count:,} intervals {why}" for why, count in left.items() if count]
    said.append("thresholds are fitted on the calibrate part of these scores")
    return KeptScores(path, found, tuple(said))


def _table(path: Path) -> Any:
    with extra("pyarrow", "--scores"):
        from pyarrow import ArrowException, csv, parquet
    try:
        if path.suffix == ".csv":
            types = csv.ConvertOptions(
                column_types=merged.schema(), include_columns=list(_READ), strings_can_be_null=True
            )
            return csv.read_csv(path, convert_options=types)
        return parquet.read_table(path, columns=list(_READ))
    except (OSError, ArrowException, KeyError) as error:
        raise InvalidInputError(
            f"--scores {path}: {error}; `watchkeeper export WORKLOAD --output scores.parquet` writes such a "
            "file"
        ) from error


def _coded(column: Any) -> tuple[list[str], Any]:
    """Return the different texts of a column, and which of them each row has; -1 for none."""
    coded = column.combine_chunks().dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.fill_null(-1).to_numpy()


def _step_scale(columns: Mapping[str, Any]) -> float:
    """Return what half of a series' newest band is a multiple of, as training had fitted it."""
    half = (columns["upper"] - columns["lower"]) / 2
    known = half[~np.isnan(half)]
    if len(known):
        return float(known[-1] / BAND_WIDTH)
    usual = [None if np.isnan(each) else float(each) for each in columns["expected"]]
    return fit_step_scale(zip(columns["value"].tolist(), usual, strict=True))
