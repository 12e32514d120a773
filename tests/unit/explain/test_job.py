"""The whole job in this process: files in, files out."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from containers.explain.job import main

SCRIPT = """
import json
def model_fn(folder): return 2.0
def input_fn(body, kind): return [json.loads(line)["x"] for line in body.decode().splitlines()]
def predict_fn(rows, factor): return [factor * row[1] + (row[0] == "b") * row[2] for row in rows]
def output_fn(values, accept): return json.dumps({"scores": values})
"""
PREDICTOR = {
    "content_type": "application/jsonlines",
    "content_template": '{"x": $features}',
    "accept_type": "application/json",
    "label": "scores",
}
DATA = "".join(f"{index % 5},{'ab'[index % 2]},{index / 7},{index % 3}\n" for index in range(40))

Run = Callable[..., Path]


def configuration(**changes: Any) -> dict[str, Any]:
    return {
        "dataset_type": "text/csv",
        "headers": ["y", "kind", "size", "more"],
        "label": "y",
        "methods": {"shap": {"num_clusters": 2, "seed": 1}},
        "predictor": PREDICTOR,
        **changes,
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the job and gives the folder of its outputs."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    inputs = tmp_path / "processing" / "input"
    for name in ("data", "config", "model"):
        (inputs / name).mkdir(parents=True)

    def go(
        document: dict[str, Any], script: str | None = SCRIPT, data: str = DATA, name: str = "inference.py"
    ) -> Path:
        (inputs / "data" / "data.csv").write_text(data)
        (inputs / "config" / "analysis_config.json").write_text(json.dumps(document))
        if script is None:
            (inputs / "model").rmdir()
        else:
            (tmp_path / "script.py").write_text(script)
            with tarfile.open(inputs / "model" / "model.tar.gz", "w:gz") as tar:
                tar.add(tmp_path / "script.py", f"code/{name}")
        main()
        return tmp_path / "processing" / "output"

    return go


def failure(tmp_path: Path) -> str:
    return (tmp_path / "output" / "message").read_text()


def read(output: Path, name: str) -> Any:
    return json.loads((output / name).read_text())


def test_any_script_mode_artifact_is_explained(run: Run) -> None:
    output = run(configuration(methods={"shap": {"num_clusters": 2, "seed": 1, "agg_method": "mean_sq"}}))

    record = read(output, "explain.json")
    found = read(output, "analysis.json")["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    assert record["shap"]["method"] == "exact"
    assert "does not hold one scikit-learn estimator" in record["shap"]["reason"]
    assert record["shap"]["baseline_rows"] == 2
    assert record["shap"]["additivity_error"] < 1e-9
    assert record["model"] == "the model archive, loaded in the job"
    assert all(value > 0.0 for value in found.values())
    assert found["size"] > found["more"]


def test_same_baseline_file_gives_the_same_values(run: Run, tmp_path: Path) -> None:
    first = pd.read_csv(run(configuration()) / "explanations_shap" / "out.csv")
    baseline = tmp_path / "processing" / "input" / "baseline"
    baseline.mkdir()
    (tmp_path / "processing/output/explanations_shap/baseline.csv").rename(baseline / "baseline.csv")

    second = run(configuration(methods={"shap": {"baseline": "s3://bucket/baseline.csv", "seed": 1}}))

    assert pd.read_csv(second / "explanations_shap" / "out.csv").equals(first)


def test_local_values_carry_the_identifier_and_are_left_out_on_request(run: Run) -> None:
    kept = run(
        configuration(joinsource_name_or_index="more", methods={"shap": {"baseline": [["a", 1]], "seed": 1}}),
        SCRIPT.replace("row[2]", "3"),
    )
    table = pd.read_csv(kept / "explanations_shap" / "out.csv")
    assert list(table.columns) == ["more", "kind_label0", "size_label0"]
    assert table["more"].tolist() == [index % 3 for index in range(40)]
    (kept / "explanations_shap" / "out.csv").unlink()

    left_out = run(
        configuration(methods={"shap": {"seed": 1, "num_clusters": 1, "save_local_shap_values": False}})
    )
    assert not (left_out / "explanations_shap" / "out.csv").exists()
    assert (left_out / "explanations_shap" / "baseline.csv").exists()


def test_scores_of_several_classes_are_explained_and_named(run: Run) -> None:
    script = SCRIPT.replace(
        "predict_fn(rows, factor): return [",
        "predict_fn(rows, factor): return [[0.2, 0.8] if row[1] > 3 else [0.7, 0.3] for row in rows] or [",
    )
    methods = {"shap": {"baseline": [["a", 0, 0]], "use_logit": True, "seed": 1}, "report": {"name": "r.1"}}

    output = run(
        configuration(methods=methods, predictor={**PREDICTOR, "label_headers": ["low", "high"]}), script
    )

    found = read(output, "analysis.json")["explanations"]["kernel_shap"]
    columns = pd.read_csv(output / "explanations_shap" / "out.csv").columns
    assert list(found) == ["low", "high"]
    assert found["low"]["global_shap_values"]["size"] == pytest.approx(
        found["high"]["global_shap_values"]["size"]
    )
    assert list(columns) == [
        f"{name}_{label}" for label in ("low", "high") for name in ("kind", "size", "more")
    ]
    page = (output / "r.1.html").read_text()
    assert "What drives the predictions of high" in page
    assert "log-odds" in page
    assert (output / "charts" / "bar_high.png").exists()
    assert (output / "r.1.pdf").exists()


def test_partial_dependence_is_the_mean_prediction_at_each_value(run: Run) -> None:
    output = run(
        configuration(methods={"pdp": {"features": ["size", "kind"], "grid_resolution": 3}, "report": {}})
    )

    size, kind = read(output, "analysis.json")["explanations"]["pdp"]
    assert (size["feature_name"], size["data_type"], kind["data_type"]) == (
        "size",
        "numerical",
        "categorical",
    )
    assert sum(size["data_distribution"]) == pytest.approx(1.0)
    steps = [
        after - before
        for before, after in zip(size["model_predictions"][0], size["model_predictions"][0][1:], strict=False)
    ]
    width = size["feature_values"][1] - size["feature_values"][0]
    assert steps == pytest.approx([2.0 * width] * 2)
    by_kind = dict(zip(kind["feature_values"], kind["model_predictions"][0], strict=True))
    assert by_kind["b"] - by_kind["a"] == pytest.approx(sum(index % 3 for index in range(40)) / 40)
    assert (output / "charts" / "partial_dependence_size.png").exists()


def test_bias_before_training_needs_no_model(run: Run) -> None:
    document = configuration(
        methods={"pre_training_bias": {"methods": ["CI"]}, "report": {}},
        label_values_or_threshold=[4],
        facet=[{"name_or_index": "kind", "value_or_threshold": ["a"]}],
    )
    del document["predictor"]

    output = run(document, None)

    metrics = read(output, "analysis.json")["pre_training_bias_metrics"]["facets"]["kind"][0]["metrics"]
    assert metrics == [{"name": "CI", "description": "Class Imbalance (CI)", "value": 0.0}]
    assert "Fairness: kind = a" in (output / "report.html").read_text()
    assert read(output, "explain.json")["shap"] is None


@pytest.mark.parametrize(
    ("document", "script", "said"),
    [
        (configuration(), None, "predictor: there is no model to ask; give endpoint_name or model_name"),
        (
            configuration(),
            "import nothing_like_this",
            "the model cannot be loaded: inference.py: ModuleNotFoundError",
        ),
        (configuration(), "x = 1", "inference.py has no model_fn"),
        (configuration(), SCRIPT.replace("row[1]", "row[9]"), "the model refused a request: IndexError"),
        (
            configuration(predictor={**PREDICTOR, "label": "score"}),
            SCRIPT,
            "predictor.label: 'score' finds nothing",
        ),
        (
            configuration(methods={"shap": {"use_logit": True, "seed": 1, "num_clusters": 1}}),
            SCRIPT,
            "methods.shap.use_logit: log-odds need scores between 0 and 1",
        ),
        (
            configuration(methods={"shap": {"baseline": "s3://b/k.csv"}}),
            SCRIPT,
            "one file * is needed, found: none",
        ),
    ],
)
def test_what_fails_the_job_is_its_message(
    run: Run, tmp_path: Path, document: dict[str, Any], script: str | None, said: str
) -> None:
    with pytest.raises(SystemExit):
        run(document, script)

    assert said in failure(tmp_path)


def test_entry_that_is_not_there_is_refused_with_what_there_is(run: Run, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(configuration(), name="package/entry.py")

    assert "no entry serve_regressor.py or inference.py (set SAGEMAKER_PROGRAM)" in failure(tmp_path)


def test_method_that_is_demanded_and_does_not_fit_fails(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHKEEPER_SHAP_METHOD", "tree")
    with pytest.raises(SystemExit):
        run(configuration())
    assert "NotTraceableError" in failure(tmp_path)

    monkeypatch.setenv("WATCHKEEPER_SHAP_METHOD", "linear")
    with pytest.raises(SystemExit):
        run(configuration())
    assert "WATCHKEEPER_SHAP_METHOD='linear': use auto, kernel, tree" in failure(tmp_path)


def test_example_that_is_not_there_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHKEEPER_EXAMPLES", "3,40")
    with pytest.raises(SystemExit):
        run(configuration(methods={"shap": {"seed": 1, "num_clusters": 1}, "report": {}}))

    assert "'40' is not a row's number from 0 to 39" in failure(tmp_path)


def test_configuration_that_is_absent_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    with pytest.raises(SystemExit):
        main()

    assert "the input config has no analysis_config.json" in failure(tmp_path)
