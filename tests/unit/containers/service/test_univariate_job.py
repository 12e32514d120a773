"""The job that judges columns: part by part it finds what a rule over the whole column finds."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from containers.service import tables
from tests.unit.containers.service.jobs import Jobs
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.catalogue import RULES
from watchkeeper.detectors.factory import new_detector
from watchkeeper.detectors.protocol.calibration import severity_of


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    return Jobs(tmp_path, monkeypatch)


def frame_of(n_rows, n_columns, seed=0):
    rng = np.random.default_rng(seed)
    found = pd.DataFrame(rng.standard_t(3, size=(n_rows, n_columns))).add_prefix("c")
    found.insert(0, "time", pd.date_range("2024-01-01", periods=n_rows, freq="min"))
    return found


def by_whole_columns(frame, method):
    """Return the predictions of rules that have all of the table in memory."""
    ordered = frame.iloc[np.argsort(frame.time.to_numpy(), kind="stable")]
    found = {}
    for name in frame.columns[1:]:
        rule = new_detector(method).fit(ordered[name].to_numpy())
        if method == "persist":
            rule.before_ = rule.before_[:0]
        raw = rule.raw_scores(ordered[name].to_numpy())
        rarity = rule.tail_.rarity(raw)
        found[f"{name}_label"] = (raw > rule.threshold_).astype(int)
        found[f"{name}_anomaly_score"] = np.round(rarity / 10.0, 9)
        found[f"{name}_severity"] = np.round(
            severity_of(rarity, 10.0 * rule.threshold_score, raw > rule.threshold_), 9
        )
    table = pd.DataFrame(found, index=ordered.index).loc[frame.index]
    for position, what in enumerate(("label", "anomaly_score", "severity")):
        table.insert(position, what, table[[f"{name}_{what}" for name in frame.columns[1:]]].max(axis=1))
    table.insert(0, "row", np.arange(len(frame)))
    return table.to_csv(index=False, lineterminator="\n")


@pytest.mark.parametrize("method", sorted(RULES))
@pytest.mark.parametrize("order", ["regular", "shuffled", "duplicates"])
def test_predictions_are_to_the_byte_those_of_rules_over_whole_columns(
    jobs, tmp_path, monkeypatch, method, order
):
    monkeypatch.setattr(tables, "PART_CELLS", 150)
    frame = frame_of(700, 3)
    frame.loc[[3, 40, 41, 699], "c1"] = np.nan
    if order == "shuffled":
        frame = frame.sample(frac=1.0, random_state=0).reset_index(drop=True)
    if order == "duplicates":
        frame["time"] = frame.time.iloc[np.arange(700) // 2 * 2].to_numpy()
    frame.to_csv(tmp_path / "table.csv", index=False)
    results, message = jobs.univariate(method, "table.csv")
    text = (results / "predictions.csv").read_text()
    assert text == by_whole_columns(frame, method)
    assert message["rows"] == 700
    assert message["flagged"] == sum(line.split(",")[1] == "1" for line in text.splitlines()[1:]) > 0
    assert message["duplicate_times"] == (350 if order == "duplicates" else 0)
    assert sorted(each.name for each in results.parents[2].iterdir()) == ["output", "processing"]


def test_memory_does_not_grow_with_the_columns(jobs, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PART_CELLS", 20_000)
    peaks = []
    for n_columns in (20, 100):
        frame_of(2_000, n_columns).to_csv(tmp_path / "table.csv", index=False)
        if not peaks:
            jobs.univariate("iqr", "table.csv")  # what is imported and kept once counts for neither
        tracemalloc.start()
        jobs.univariate("iqr", "table.csv")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_a_rules_parameters_are_the_callers(jobs, tmp_path):
    frame = frame_of(300, 1)
    frame.to_csv(tmp_path / "table.csv", index=False)
    counts = [
        jobs.univariate("iqr", "table.csv", parameters)[1]["flagged"]
        for parameters in ('{"margin":0}', "{}", '{"margin":3,"low":0.1,"high":0.9}')
    ]
    first, last = np.quantile(frame.c0, [0.1, 0.9])
    outside = (frame.c0 < first - 3 * (last - first)) | (frame.c0 > last + 3 * (last - first))
    assert counts[0] > counts[1] > counts[2] == outside.sum()
    with pytest.raises(InvalidInputError, match="margin of persist is 0: give a number above 0"):
        jobs.univariate("persist", "table.csv", '{"margin":0}')
