"""The explain job as a process of the image, on a regressor that the image's own training job has made."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.packaging import build_analysis_code
from tests.contract.containers.laptop import PROJECT, JobFailedError, run_processing
from tests.contract.containers.table import HEADERS, PLAN, Prepared, prepare, train
from tests.unit.explain.conftest import abalones

FEATURES = list(PLAN.feature_names)
N_ROWS = 60
SEED = 7


@dataclass(frozen=True)
class Artifacts:
    """What the jobs before this one have made."""

    model: Path
    rows: Path
    baseline: list[Any]

    def configuration(self, **changes: Any) -> dict[str, Any]:
        return {
            "dataset_type": "text/csv",
            "headers": ["rings", *FEATURES],
            "label": "rings",
            "label_values_or_threshold": [9],
            "facet": [{"name_or_index": "sex", "value_or_threshold": ["I"]}],
            "methods": {
                "shap": {
                    "baseline": [self.baseline],
                    "num_samples": 1_000,
                    "agg_method": "mean_abs",
                    "seed": SEED,
                },
                "pre_training_bias": {"methods": "all"},
                "post_training_bias": {"methods": "all"},
                "report": {"name": "report", "title": "Abalones"},
            },
            "predictor": {"content_type": "text/csv", "accept_type": "text/csv"},
            **changes,
        }

    def run(
        self, root: Path, configuration: dict[str, Any], inputs: dict[str, Path], **environment: str
    ) -> Path:
        file = root / "analysis_config.json"
        root.mkdir(exist_ok=True)
        file.write_text(json.dumps(configuration))
        given = {"data": self.rows, "config": file, **inputs}
        return run_processing(
            root / "job", "explain", given, environment, build_analysis_code("here", PROJECT / "build")
        )


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    root = tmp_path_factory.mktemp("explain")
    table = abalones().set_axis(list(HEADERS), axis=1)
    history = root / "history"
    history.mkdir()
    table.to_csv(history / "abalone.csv", index=False, header=False)
    prepared: Prepared = prepare(root, history, PLAN)
    model = train(root / "train", prepared, {"n_estimators": 10, "min_samples_leaf": 3, "random_state": 7})
    rows = root / "rows.csv"
    held_back = (prepared.prepared / "explain" / "rows.csv").read_text().splitlines()
    rows.write_text("\n".join(held_back[:N_ROWS]) + "\n")
    baseline = ["M", *table[FEATURES[1:]].mean().round(4).tolist()]
    return Artifacts(model, rows, baseline)


@pytest.fixture(scope="module")
def explained(artifacts: Artifacts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    return artifacts.run(
        root, artifacts.configuration(), {"model": artifacts.model}, WATCHKEEPER_EXAMPLES="11, 3"
    )


def read(output: Path, name: str) -> Any:
    return json.loads((output / name).read_text())


def test_values_add_up_to_the_models_own_predictions(explained: Path, artifacts: Artifacts) -> None:
    record = read(explained, "explain.json")
    analysis = read(explained, "analysis.json")
    local = pd.read_csv(explained / "explanations_shap" / "out.csv")
    shap = analysis["explanations"]["kernel_shap"]["label0"]

    assert record["shap"]["method"] == "tree"
    assert record["shap"]["additivity_error"] < 1e-9
    assert record["rows"] == N_ROWS
    assert list(local.columns) == [f"{name}_label0" for name in FEATURES]
    assert shap["global_shap_values"] == pytest.approx(
        {name: float(local[f"{name}_label0"].abs().mean()) for name in FEATURES}
    )
    baseline = pd.read_csv(explained / "explanations_shap" / "baseline.csv")
    assert baseline.iloc[0].tolist() == artifacts.baseline


def test_bias_of_labels_and_predictions_is_in_clarifys_structure(explained: Path) -> None:
    analysis = read(explained, "analysis.json")

    for section, n_metrics in (("pre_training_bias_metrics", 7), ("post_training_bias_metrics", 12)):
        found = analysis[section]
        assert found["label"] == "rings"
        assert found["label_value_or_threshold"].startswith("(9, ")
        (group,) = found["facets"]["sex"]
        assert group["value_or_threshold"] == "I"
        assert len(group["metrics"]) == n_metrics
        assert all(isinstance(metric["value"], float) or metric["error"] for metric in group["metrics"])


def test_report_asks_for_nothing_and_shows_the_examples_that_were_asked_for(explained: Path) -> None:
    page = (explained / "report.html").read_text()

    assert "<title>Abalones</title>" in page
    assert "Example 11: the model predicts" in page
    assert "Example 3: the model predicts" in page
    assert not re.search(r"""(src|href|url)\s*[=(]\s*["']?(?!data:)(https?:)?//""", page)
    assert "<script" not in page
    names = {path.name for path in (explained / "charts").iterdir()}
    assert names == {"bar.png", "beeswarm.png", "local_explanation_11.png", "local_explanation_3.png"}
    assert (explained / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_all_coalitions_give_the_trees_values_with_the_baseline_as_a_file(
    artifacts: Artifacts, explained: Path, tmp_path: Path
) -> None:
    methods = {"shap": {"baseline": "s3://bucket/baseline.csv", "num_samples": 1_000, "seed": SEED}}
    baseline = explained / "explanations_shap" / "baseline.csv"

    output = artifacts.run(
        tmp_path,
        artifacts.configuration(methods=methods),
        {"model": artifacts.model, "baseline": baseline},
        WATCHKEEPER_SHAP_METHOD="kernel",
    )

    ours, trees = (pd.read_csv(folder / "explanations_shap" / "out.csv") for folder in (output, explained))
    assert read(output, "explain.json")["shap"]["method"] == "exact"
    assert np.abs((ours - trees).to_numpy()).max() < 1e-9
    assert not (output / "report.html").exists()


def test_wrong_configuration_fails_the_job_with_its_reason(artifacts: Artifacts, tmp_path: Path) -> None:
    said = "InvalidInputError: analysis_config.json: label: there is no column 'ring'; headers: rings, sex"
    with pytest.raises(JobFailedError, match=re.escape(said)):
        artifacts.run(tmp_path, artifacts.configuration(label="ring"), {"model": artifacts.model})
