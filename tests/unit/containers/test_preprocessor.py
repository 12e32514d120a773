from __future__ import annotations

import json
from pathlib import Path

import flask
import numpy as np
import pytest
from sagemaker_inference.errors import BaseInferenceToolkitError
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from containers.anomaly import serve_preprocessor as serve
from containers.anomaly.preprocessor import FeaturePreprocessor, load_preprocessor, save_preprocessor
from tests.unit.containers.plans import hourly
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.features.matrix import feature_names
from watchkeeper.lifecycle.manifest import ArtifactManifest
from watchkeeper.telemetry.rows import Row, parse_rows

LINES = [
    f"1970-01-01T{hour:02}:00:00Z,flow,{hour % 5},{(hour + 4) % 5},{(hour + 3) % 5}" for hour in range(24)
]


@pytest.fixture
def rows() -> list[Row]:
    return list(parse_rows(LINES))


@pytest.fixture
def fitted(rows: list[Row]) -> FeaturePreprocessor:
    return FeaturePreprocessor(hourly()).fit(rows)


def saved(preprocessor: FeaturePreprocessor, folder: Path) -> Path:
    manifest = ArtifactManifest.of(
        preprocessor.plan,
        training_start="1970-01-01T00:00:00Z",
        training_end="1970-01-02T00:00:00Z",
        n_rows=24,
    )
    save_preprocessor(preprocessor, manifest, folder)
    return folder


def test_follows_scikit_learn_conventions(rows: list[Row]) -> None:
    plan = hourly()
    preprocessor = FeaturePreprocessor(plan)
    assert preprocessor.get_params()["plan"] is plan
    assert clone(preprocessor).plan == plan
    with pytest.raises(NotFittedError):
        preprocessor.transform(rows)
    assert preprocessor.fit(rows) is preprocessor
    assert list(preprocessor.get_feature_names_out()) == feature_names(plan)
    scaled = make_pipeline(clone(preprocessor), MinMaxScaler()).fit_transform(rows)
    assert scaled.shape == (24, preprocessor.n_features_out_)


def test_scales_come_from_the_training_rows_only(fitted: FeaturePreprocessor, rows: list[Row]) -> None:
    before = fitted.transform(rows)
    fitted.transform(list(parse_rows(["1970-01-02,flow,1e9"])))
    np.testing.assert_array_equal(fitted.transform(rows), before)


def test_loaded_preprocessor_gives_the_same_features(
    fitted: FeaturePreprocessor, rows: list[Row], tmp_path: Path
) -> None:
    loaded = load_preprocessor(saved(fitted, tmp_path))
    np.testing.assert_array_equal(loaded.transform(rows), fitted.transform(rows))


def test_artifact_of_another_schema_is_refused(fitted: FeaturePreprocessor, tmp_path: Path) -> None:
    path = saved(fitted, tmp_path) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_hash": "other"}))
    with pytest.raises(ContractViolationError, match="feature schema"):
        load_preprocessor(tmp_path)


def test_folder_without_artifact_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractViolationError, match=r"preprocessor.json is missing"):
        load_preprocessor(tmp_path)


def answered(model: FeaturePreprocessor, body: bytes, content_type: str):  # type: ignore[no-untyped-def]
    return serve.output_fn(serve.predict_fn(serve.input_fn(body, content_type), model), "application/json")


def test_serving_repeats_the_features_exactly(fitted: FeaturePreprocessor, rows: list[Row]) -> None:
    body, content_type = answered(fitted, "\n".join(LINES).encode(), "text/csv; charset=utf-8")
    served = np.array([[float(cell) for cell in line.split(",")] for line in body.split("\n")])
    assert content_type == "text/csv"
    np.testing.assert_array_equal(served, fitted.transform(rows))


def test_values_alone_are_rows_of_a_model_without_time(fitted: FeaturePreprocessor) -> None:
    alone, _ = answered(fitted, b"3\n4", "text/csv")
    timed, _ = answered(fitted, b"2024-01-01,3\n2024-02-02,4", "text/csv")

    assert alone == timed


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"1970-01-01,nan", "text/csv", 400),
        (b"", "text/csv", 400),
        (b"x", "text/html", 415),
        (None, "text/csv", 400),
    ],
)
def test_bad_request_is_an_error_of_the_inference_toolkit(
    fitted: FeaturePreprocessor, body: bytes, content_type: str, status: int
) -> None:
    with pytest.raises(BaseInferenceToolkitError) as refused:
        answered(fitted, body, content_type)
    assert refused.value.status_code == status


def test_bad_request_is_a_response_where_the_image_serves_with_flask(fitted: FeaturePreprocessor) -> None:
    with flask.Flask("image").test_request_context():
        response = answered(fitted, b"1970-01-01,1\n1970-01-02,nan", "text/csv")
    assert response.status_code == 400
    assert response.get_data(as_text=True) == (
        "record 2: value: 'nan' is not finite; leave the cell empty where a value is missing"
    )
