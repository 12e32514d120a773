"""The jobs from file to file, and their results beside scikit-learn and PyOD called by hand."""

import json
import tarfile

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN
from sklearn.ensemble import IsolationForest

from containers.anomaly.snapshots import save_snapshots
from containers.runtime.job import FAILURE_LENGTH
from containers.runtime.training import manifest_of
from containers.service.artifact import load_archive
from containers.service.inputs import failure_text
from containers.service.serve import input_fn, predict_fn
from containers.service.tables import read_parts
from tests.unit.containers.service.jobs import Jobs
from tests.unit.containers.test_replay import PLAN, trained
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.protocol.scores import joined
from watchkeeper.detectors.scorer import scorer_of
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    return Jobs(tmp_path, monkeypatch)


@pytest.fixture
def frame(tmp_path):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(500, 3))
    labels = np.zeros(500, dtype=int)
    labels[rng.choice(500, 25, replace=False)] = 1
    values[labels == 1] += rng.choice([-5.0, 5.0], size=(25, 3))
    found = pd.DataFrame(values, columns=["a", "b", "c"])
    found.to_csv(tmp_path / "features.csv", index=False)
    pd.DataFrame({"label": labels}).to_csv(tmp_path / "labels.csv", index=False)
    return found


def predictions_of(results):
    return pd.read_csv(results / "predictions.csv")


def standardized(frame):
    return ((frame - frame.mean()) / frame.std(ddof=0)).to_numpy()


def test_training_with_labels_gives_a_model_that_validates_and_infers(jobs, frame, tmp_path):
    model = jobs.train("DBSCAN", "features.csv", "labels.csv")
    results, metrics = jobs.predict("train", "features.csv", model, "labels.csv", charts="true")
    found = predictions_of(results)
    assert list(found.columns) == ["row", "label", "anomaly_score", "severity"]
    assert found.row.tolist() == list(range(500))
    assert metrics["flagged"] == found.label.sum()
    assert metrics["f1"] > 0.8
    assert metrics["held_out"]["f1"] >= metrics["held_out_defaults"]["f1"]
    assert metrics["split"] == "stratified"
    assert {path.name for path in (results / "charts").iterdir()} == {
        *("series.png", "histogram.png", "projection.png", "confusion_matrix.png", "precision_recall.png"),
        "index.html",
    }
    assert (results / "model.tar.gz").read_bytes() == model.read_bytes()

    _, valid = jobs.predict("valid", "features.csv", model, "labels.csv")
    assert valid["f1"] == metrics["f1"]
    again, inferred = jobs.predict("infer", "features.csv", model)
    pd.testing.assert_frame_equal(predictions_of(again), found)
    assert inferred == {"algorithm": "dbscan", "rows": 500, "flagged": metrics["flagged"]}


def test_the_manifest_says_what_the_model_was_made_from(jobs, frame):
    with tarfile.open(jobs.train("LOF", "features.csv", "labels.csv")) as archive:
        manifest = json.load(archive.extractfile("./manifest.json"))
        assert not [
            name for name in archive.getnames() if "pickle" in name or name.endswith((".pkl", ".joblib"))
        ]
    assert manifest["algorithm"] == "lof"
    assert manifest["columns"] == ["a", "b", "c"]
    assert manifest["n_rows"] == manifest["n_rows_learned"] == 500
    assert 0 < manifest["threshold"] < 1
    assert {each["place"] for each in manifest["candidates"]} == set(
        range(manifest["metrics"]["search"]["tried"])
    )


def test_dbscan_labels_are_scikit_learns_noise(jobs, frame, tmp_path):
    results, _ = jobs.predict("train", "features.csv", jobs.train("dbscan", "features.csv"))
    rows = standardized(frame)
    distances = np.sort(np.linalg.norm(rows[:, None] - rows[None], axis=2), axis=1)[:, 4]
    eps = np.quantile(distances, 0.95, method="higher") * (1 + 1e-9)
    noise = DBSCAN(eps=eps, min_samples=5).fit(rows).labels_ == -1
    assert (predictions_of(results).label == 1).tolist() == noise.tolist()


def test_isolation_forest_ranks_as_scikit_learn(jobs, frame):
    model = load_archive(jobs.train("IsolationForest", "features.csv"))
    rows = standardized(frame)
    expected = (
        -IsolationForest(n_estimators=100, max_samples=256, random_state=0).fit(rows).score_samples(rows)
    )
    np.testing.assert_allclose(model.detector.raw_scores(frame.to_numpy()), expected, rtol=1e-6)


def test_hbos_ranks_as_pyod(jobs, frame):
    from pyod.models.hbos import HBOS

    model = load_archive(jobs.train("HBOS", "features.csv"))
    rows = standardized(frame)
    expected = HBOS(n_bins=10, alpha=0.1, tol=0.5).fit(rows).decision_function(rows)
    np.testing.assert_allclose(model.detector.raw_scores(frame.to_numpy()), expected, rtol=1e-6)


@pytest.mark.parametrize("algorithm", ["watchkeeper", "KNN"])
def test_scores_do_not_depend_on_the_size_of_parts(jobs, frame, tmp_path, algorithm):
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=500, freq="min"))
    frame.to_csv(tmp_path / "timed.csv", index=False)
    model = load_archive(jobs.train(algorithm, "timed.csv"))
    found = []
    for rows in (500, 37):
        score, parts = scorer_of(model.detector), read_parts(tmp_path / "timed.csv", rows=rows)
        found.append(joined([score(part.values, part.times) for part in parts]))
    whole, parts = found
    np.testing.assert_array_equal(whole.anomaly_score, parts.anomaly_score)
    np.testing.assert_array_equal(whole.is_anomaly, parts.is_anomaly)


def test_columns_are_found_by_name(jobs, frame, tmp_path):
    model = jobs.train("PCA", "features.csv")
    frame[["c", "a", "b"]].to_csv(tmp_path / "turned.csv", index=False)
    frame.to_csv(tmp_path / "bare.csv", index=False, header=False)
    expected = predictions_of(jobs.predict("infer", "features.csv", model)[0])
    for name in ("turned.csv", "bare.csv"):
        pd.testing.assert_frame_equal(predictions_of(jobs.predict("infer", name, model)[0]), expected)
    frame.rename(columns={"b": "d"}).to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(InvalidInputError, match="without b and with d beside them; the model takes a, b, c"):
        jobs.predict("infer", "other.csv", model)


def test_a_missing_value_is_no_anomaly(jobs, frame, tmp_path):
    frame.loc[3, "b"] = np.nan
    frame.to_csv(tmp_path / "features.csv", index=False)
    results, _ = jobs.predict("infer", "features.csv", jobs.train("ECOD", "features.csv"))
    assert predictions_of(results).loc[3, ["label", "anomaly_score", "severity"]].tolist() == [0, 0, 0]


def test_refuses_a_model_that_is_none(jobs, frame, tmp_path):
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"nothing")
    with pytest.raises(InvalidInputError, match=r"model\.tar\.gz is not a \.tar\.gz archive") as refused:
        jobs.predict("infer", "features.csv", archive)
    assert refused.value.reason == "bad_model"


def test_a_failure_is_told_as_the_problem_that_it_is():
    error = InvalidInputError("column 'b', row 1", reason="non_numeric_value")
    assert failure_text(error) == "[problem:non_numeric_value] column 'b', row 1"
    assert failure_text(ContractViolationError("x")) == "ContractViolationError: x"


def test_every_summary_fits_an_exit_message(jobs, frame):
    model = jobs.train("elliptic_envelope", "features.csv", "labels.csv")
    _, metrics = jobs.predict("train", "features.csv", model, "labels.csv")
    assert len(json.dumps(metrics)) < FAILURE_LENGTH - 200


def test_served_scores_are_those_of_the_job(jobs, frame):
    archive = jobs.train("COPOD", "features.csv")
    results, _ = jobs.predict("infer", "features.csv", archive)
    model = load_archive(archive)

    def answered(body, content_type="text/csv"):
        return predict_fn(input_fn(body, content_type), model)

    lines = "\n".join(",".join(map(repr, row)) for row in frame.to_numpy().tolist()[:50])
    np.testing.assert_allclose(answered(lines), predictions_of(results).anomaly_score[:50], atol=1e-8)
    assert answered('"1", "2","3"') == answered("1,2,3")
    assert answered('{"features": [1, "2", 3]}', "application/jsonlines") == answered("1,2,3")
    np.testing.assert_equal(
        [answered(f"1,{word},3") for word in ("NA", "null", " n/a")], [answered("1,,3")] * 3
    )
    assert answered("1,2").message.startswith("record 1: 2 cells; the model takes a, b, c")
    assert answered("1,2,3\n1,x,3").message.startswith("record 2: column 'b': 'x' is not a number")
    assert answered("1,2,inf").message.startswith("record 1: column 'c': 'inf' is not finite")
    assert answered('{"a": 1, "b": 2, "c": 3}', "application/jsonlines").message.startswith(
        "record 1: 0 cells"
    )


@pytest.fixture
def series(tmp_path):
    rng = np.random.default_rng(2)
    found = pd.DataFrame(
        {
            "time": pd.date_range("2024-01-01", periods=400, freq="min"),
            "flow": rng.normal(size=400),
            "level": np.cumsum(rng.normal(size=400)),
        }
    )
    found.loc[100, "flow"] = 9.0
    found.loc[200:, "level"] += 60.0
    found.to_csv(tmp_path / "series.csv", index=False)
    return found


def test_iqr_and_quantile_are_their_formulas_by_column(jobs, series):
    for method, low, high, margin in (("iqr", 0.25, 0.75, 1.5), ("quantile", 0.005, 0.995, 0.0)):
        results, metrics = jobs.univariate(method, "series.csv")
        found = predictions_of(results)
        expected = []
        for name in ("flow", "level"):
            first, last = series[name].quantile([low, high])
            outside = (series[name] < first - margin * (last - first)) | (
                series[name] > last + margin * (last - first)
            )
            assert (found[f"{name}_label"] == 1).tolist() == outside.tolist()
            expected.append(outside)
        assert (found.label == 1).tolist() == (expected[0] | expected[1]).tolist()
        assert metrics["flagged"] == found.label.sum()
        assert (found.severity == found[["flow_severity", "level_severity"]].max(axis=1)).all()


def test_persist_finds_the_jump_and_not_the_level(jobs, series):
    found = predictions_of(jobs.univariate("persist", "series.csv")[0])
    flagged = np.flatnonzero(found.level_label)
    assert 200 in flagged
    assert flagged.max() < 220
    assert found.level_label[:3].sum() == 0


def test_rows_out_of_order_are_judged_in_the_order_of_time(jobs, series, tmp_path):
    straight = predictions_of(jobs.univariate("persist", "series.csv")[0])
    turned = series.sample(frac=1.0, random_state=0)
    turned.to_csv(tmp_path / "turned.csv", index=False)
    found = predictions_of(jobs.univariate("persist", "turned.csv")[0])
    assert found.label.tolist() == straight.label[turned.index].tolist()


def test_irregular_and_duplicate_times_are_counted(jobs, series, tmp_path):
    series.drop(index=[5, 6, 50]).to_csv(tmp_path / "gaps.csv", index=False)
    pd.concat([series, series.iloc[[7, 8]]]).to_csv(tmp_path / "twice.csv", index=False)
    _, gaps = jobs.univariate("iqr", "gaps.csv")
    _, twice = jobs.univariate("iqr", "twice.csv")
    assert (gaps["irregular_steps"], gaps["duplicate_times"]) == (2, 0)
    assert (twice["irregular_steps"], twice["duplicate_times"]) == (0, 2)


def test_a_column_without_values_is_named(jobs, series, tmp_path):
    series.assign(empty=np.nan).to_csv(tmp_path / "empty.csv", index=False)
    with pytest.raises(InvalidInputError, match="column 'empty'"):
        jobs.univariate("iqr", "empty.csv")


def test_a_workloads_model_goes_on_where_its_training_ended(jobs, tmp_path):
    snapshots, later = trained()
    (tmp_path / "model").mkdir()
    save_snapshots(snapshots, PLAN, manifest_of(PLAN, later), tmp_path / "model")
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "model", ".")
    table = pd.DataFrame({"time": [row.timestamp for row in later], "flow": [row.value for row in later]})
    table.to_csv(tmp_path / "later.csv", index=False)

    results, metrics = jobs.predict("infer", "later.csv", archive)

    states = snapshots.detectors["flow"].states_
    detector = WatchkeeperDetector.of_states(states, interval_seconds=PLAN.interval_seconds)
    times = np.array([row.timestamp.timestamp() for row in later])
    expected = detector.update_all(table.flow.to_numpy(), timestamps=times)
    assert metrics["algorithm"] == "watchkeeper"
    np.testing.assert_allclose(predictions_of(results).anomaly_score, expected.anomaly_score, atol=1e-8)


def test_a_model_of_the_built_in_forest_is_refused_with_the_reason(jobs, frame, tmp_path):
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "features.csv", "model_algo-1")
    with pytest.raises(InvalidInputError, match="rcf detector is readable by its own image only"):
        jobs.predict("infer", "features.csv", tmp_path / "model.tar.gz")
