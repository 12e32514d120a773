"""Models of the service as a workload's detector: the same scores, and what does not fit is refused."""

import dataclasses
import json
import tarfile

import numpy as np
import pandas as pd
import pytest

from containers.anomaly.serve_detector import Prediction
from containers.anomaly.snapshots import SNAPSHOTS_NAME
from containers.service import serve_rows
from containers.service.adoption import TABLE_FOLDER, adopt
from containers.service.artifact import load_archive
from tests.unit.containers.plans import HOUR, hourly
from tests.unit.containers.service.jobs import Jobs
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import FeaturePlan, MeasurePlan
from watchkeeper.features.matrix import feature_names, row_arrays, unscaled_feature_matrix
from watchkeeper.lifecycle.manifest import MANIFEST_NAME, ArtifactManifest
from watchkeeper.telemetry.context import rows_of
from watchkeeper.telemetry.rows import format_row

LEARNED, TRAINING, ALL = 400, 500, 600
"""Rows that the service's model learns, that the workload trains on, and that there are."""
VALUES = np.sin(np.arange(ALL) / 4) * 5 + 50 + np.random.default_rng(3).normal(0, 0.4, ALL)
TABULAR = hourly(features=FeaturePlan(shingle=2))
STREAMING = hourly(features=FeaturePlan(shingle=32, differences=False))


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    return Jobs(tmp_path, monkeypatch)


def rows_of_workload(plan, series="flow"):
    points = [(HOUR * at, float(value)) for at, value in enumerate(VALUES)]
    return [row.row(series) for row in rows_of(points, plan)]


def train(jobs, algorithm, columns, *, timed=True, rows=LEARNED):
    frame = pd.DataFrame({name: values[:rows] for name, values in columns.items()})
    if timed:
        frame.insert(0, "time", pd.to_datetime(HOUR * np.arange(rows), unit="s"))
    frame.to_csv(jobs.folder / "table.csv", index=False)
    return load_archive(jobs.train(algorithm, "table.csv"))


def feature_columns(plan):
    matrix = unscaled_feature_matrix(row_arrays(rows_of_workload(plan), plan), plan)
    return dict(zip(feature_names(plan), matrix.T, strict=True))


def adopted(model, plan, folder, series="flow"):
    adopt(model, plan, rows_of_workload(plan, series)[:TRAINING], 7, folder)
    return serve_rows.model_fn(str(folder))


@pytest.mark.parametrize("algorithm", ["IsolationForest", "DBSCAN", "HBOS", "RCF"])
def test_a_tables_model_scores_rows_as_the_service_scores_its_table(jobs, tmp_path, algorithm):
    columns = feature_columns(TABULAR)
    model = train(jobs, algorithm, dict(reversed(columns.items())))
    served = adopted(model, TABULAR, tmp_path / "adopted")

    pd.DataFrame(columns).to_csv(tmp_path / "all.csv", index=False)
    archive = next(path for path in sorted(tmp_path.glob("job-*/model.tar.gz")))
    results, _ = jobs.predict("infer", "all.csv", archive)
    expected = pd.read_csv(results / "predictions.csv").anomaly_score
    found = served.score(rows_of_workload(TABULAR))

    assert found == pytest.approx(expected.tolist(), abs=1e-9)
    assert len(set(found)) > 10
    assert served.explain(rows_of_workload(TABULAR)[:2]) == [(), ()]


def test_a_model_of_one_column_takes_the_value_whatever_its_name(jobs, tmp_path):
    plan = hourly(features=FeaturePlan(shingle=1, differences=False))
    served = adopted(train(jobs, "KNN", {"litres": VALUES}), plan, tmp_path / "adopted")
    rows = rows_of_workload(plan)
    outlier = dataclasses.replace(rows[-1], value=500.0)

    assert max(served.score(rows)) < served.score([outlier])[0]


def test_a_streaming_model_goes_on_where_its_table_ended(jobs, tmp_path):
    model = train(jobs, "watchkeeper", {"flow": VALUES})
    served = adopted(model, STREAMING, tmp_path / "adopted")
    rows = rows_of_workload(STREAMING)
    context = STREAMING.features.shingle // 2

    frame = pd.DataFrame({"time": pd.to_datetime(HOUR * np.arange(LEARNED, ALL), unit="s")})
    frame.assign(flow=VALUES[LEARNED:]).to_csv(tmp_path / "next.csv", index=False)
    results, _ = jobs.predict("infer", "next.csv", next(iter(tmp_path.glob("job-*/model.tar.gz"))))
    expected = pd.read_csv(results / "predictions.csv").anomaly_score.to_numpy()
    found = served.score(rows[LEARNED : LEARNED + context])

    assert found == pytest.approx(expected[:context].tolist(), abs=1e-9)
    assert max(found) > 0
    assert any(served.explain(rows[LEARNED : LEARNED + context]))


def test_each_column_of_a_streaming_model_is_a_series(jobs, tmp_path):
    model = train(jobs, "watchkeeper", {"flow|hall=a": VALUES, "flow|hall=b": -VALUES})
    plan = dataclasses.replace(STREAMING, dimensions=("hall",))
    served = adopted(model, plan, tmp_path / "adopted", series="flow|hall=b")
    mirrored = [dataclasses.replace(row, series="flow|hall=a") for row in rows_of_workload(plan)[450:470]]

    as_b = [
        dataclasses.replace(row, series="flow|hall=b", value=-row.value, lags=tuple(-lag for lag in row.lags))
        for row in mirrored
    ]
    assert served.score(mirrored) == pytest.approx(served.score(as_b), abs=1e-6)


def test_the_artifact_says_where_the_model_comes_from(jobs, tmp_path):
    model = train(jobs, "HBOS", feature_columns(TABULAR))
    adopted(model, TABULAR, tmp_path / "adopted")

    manifest = ArtifactManifest.from_json((tmp_path / "adopted" / MANIFEST_NAME).read_text())
    assert manifest.hyperparameters == {"version": 7, "algorithm": "hbos", **model.manifest.hyperparameters}
    assert (manifest.workload, manifest.n_rows) == ("water", LEARNED)
    assert (manifest.training_start, manifest.training_end) == (
        "1970-01-01T00:00:00Z",
        "1970-01-17T15:00:00Z",
    )
    assert not (tmp_path / "adopted" / SNAPSHOTS_NAME).exists()
    assert (tmp_path / "adopted" / TABLE_FOLDER / "detector.npz").exists()


@pytest.mark.parametrize(("algorithm", "plan"), [("LOF", TABULAR), ("watchkeeper", STREAMING)])
def test_the_workloads_model_serves_the_service_again(jobs, tmp_path, algorithm, plan):
    columns = feature_columns(TABULAR) if algorithm == "LOF" else {"flow": VALUES}
    model = train(jobs, algorithm, columns)
    adopted(model, plan, tmp_path / "adopted")
    with tarfile.open(tmp_path / "workload.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "adopted", ".")
    frame = pd.DataFrame(columns).iloc[LEARNED:]
    frame.insert(0, "time", pd.to_datetime(HOUR * np.arange(LEARNED, ALL), unit="s"))
    frame.to_csv(tmp_path / "next.csv", index=False)

    own, back = (
        pd.read_csv(jobs.predict("infer", "next.csv", archive)[0] / "predictions.csv")
        for archive in (tmp_path / "job-1" / "model.tar.gz", tmp_path / "workload.tar.gz")
    )
    pd.testing.assert_frame_equal(own, back)


@pytest.mark.parametrize(
    ("algorithm", "columns", "plan", "said"),
    [
        ("HBOS", ("a", "b", "c"), TABULAR, "the workload's features are value, lag_1, difference_1"),
        ("HBOS", ("value",), TABULAR, "the workload's features are value, lag_1, difference_1"),
        (
            "HBOS",
            ("value", "lag_1", "difference_1"),
            dataclasses.replace(TABULAR, measures=(MeasurePlan("flow", "f"), MeasurePlan("level", "l"))),
            "would judge the measures flow, level alike",
        ),
        ("watchkeeper", ("flow",), TABULAR, "shingle: 128, differences: false"),
        ("watchkeeper", ("x", "y"), STREAMING, "the workload has the series flow, for which"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_remedy(jobs, tmp_path, algorithm, columns, plan, said):
    model = train(jobs, algorithm, {name: VALUES + at for at, name in enumerate(columns)})

    with pytest.raises(InvalidInputError, match=said) as refused:
        adopt(model, plan, rows_of_workload(plan)[:TRAINING], 7, tmp_path / "adopted")
    assert str(refused.value).startswith(
        f"workload water: detector.version 7, the model {algorithm.lower()} of {', '.join(columns)}: "
    )
    assert not (tmp_path / "adopted" / MANIFEST_NAME).exists()


@pytest.mark.parametrize(("learned", "refused"), [(TRAINING, False), (TRAINING + 1, True), (ALL, True)])
def test_a_model_is_not_judged_by_rows_that_it_has_learned(jobs, tmp_path, learned, refused):
    model = train(jobs, "HBOS", feature_columns(TABULAR), rows=learned)

    if not refused:
        adopted(model, TABULAR, tmp_path / "adopted")
        return
    with pytest.raises(InvalidInputError, match="it would be judged by rows that it has learned") as error:
        adopted(model, TABULAR, tmp_path / "adopted")
    assert error.value.reason == "learned_holdback"


def test_a_streaming_model_without_times_is_refused(jobs, tmp_path):
    model = train(jobs, "watchkeeper", {"flow": VALUES}, timed=False)

    with pytest.raises(InvalidInputError, match="whose first column is the time"):
        adopted(model, STREAMING, tmp_path / "adopted")


def test_rows_of_another_measure_are_refused_by_record(jobs, tmp_path):
    adopted(train(jobs, "HBOS", feature_columns(TABULAR)), TABULAR, tmp_path / "adopted")
    model = serve_rows.model_fn(str(tmp_path / "adopted"))
    lines = [format_row(row) for row in rows_of_workload(TABULAR)[:3]]

    def answered(lines):
        return serve_rows.predict_fn(serve_rows.input_fn("\n".join(lines), "text/csv"), model)

    answer = answered(lines)
    assert isinstance(answer, Prediction)
    assert len(answer.scores) == 3
    refusal = answered([*lines, lines[0].replace("flow", "level")])
    assert "record 4: series 'level'" in str(refusal)


def test_an_artifact_of_another_release_does_not_start(jobs, tmp_path):
    folder = tmp_path / "adopted"
    adopted(train(jobs, "HBOS", feature_columns(TABULAR)), TABULAR, folder)
    document = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps({**document, "schema_hash": "other"}))

    with pytest.raises(ContractViolationError, match="feature schema"):
        serve_rows.model_fn(str(folder))
    (folder / MANIFEST_NAME).unlink()
    with pytest.raises(ContractViolationError, match="not an adopted model"):
        serve_rows.model_fn(str(folder))
