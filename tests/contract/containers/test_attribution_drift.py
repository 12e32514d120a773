"""The drift job as the image's process runs it: abalone's own traffic is stable, a broken column is drift."""

from __future__ import annotations

import dataclasses
import json
import random
from pathlib import Path

import pytest

from pipeline.packaging import build_analysis_code
from tests.contract.containers.laptop import PROJECT, run_processing
from tests.contract.containers.table import HYPERPARAMETERS, PLAN, abalone, copied, prepare, train
from watchkeeper.regression.analysis_configuration import analysis_configuration, drift_configuration
from watchkeeper.regression.drift import DriftReport
from watchkeeper.regression.plan import ExplainPlan, ShapPlan

BASELINE = (("M", 0.545, 0.425, 0.14, 0.7995, 0.336, 0.171, 0.234),)
DRAFT = DriftReport(
    "abalone",
    "to_compare",
    "2024-01-01T00:00:00Z",
    "2024-01-02T00:00:00Z",
    0.9,
    50,
    rows_captured=150,
    rows=150,
)
ROWS = 150


def analysis_archive() -> Path:
    return build_analysis_code("here", PROJECT / "build")


@dataclasses.dataclass(frozen=True)
class Explained:
    """A model, how it was explained, and rows that it has not seen."""

    model: Path
    configuration: dict[str, object]
    explanations: Path
    rows: list[str]


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Explained:
    root = tmp_path_factory.mktemp("drift")
    prepared = prepare(root, copied(root, abalone(), "abalone.csv"), PLAN)
    model = train(root / "train", prepared, HYPERPARAMETERS)
    plan = dataclasses.replace(PLAN, explain=ExplainPlan(shap=ShapPlan(baseline_rows=BASELINE, seed=7)))
    configuration = analysis_configuration(plan, model="model", instance_type="ml.m5.large")
    del configuration["methods"]["report"]
    config = root / "config"
    config.mkdir()
    (config / "analysis_config.json").write_text(json.dumps(configuration))
    rows = (prepared.prepared / "holdback" / "rows.csv").read_text().splitlines()
    data = root / "data"
    data.mkdir()
    (data / "rows.csv").write_text("".join(f"9,{row}\n" for row in rows[:ROWS]))
    output = run_processing(
        root / "explain",
        "explain",
        {"data": data, "config": config, "model": model},
        {},
        code=analysis_archive(),
    )
    return Explained(model, configuration, output, rows[-ROWS:])


def compared(explained: Explained, root: Path, rows: list[str]) -> DriftReport:
    """Run the drift job on rows."""
    root.mkdir(parents=True, exist_ok=True)
    folders = {name: root / name for name in ("rows", "config", "draft")}
    for folder in folders.values():
        folder.mkdir()
    (folders["rows"] / "rows.csv").write_text("".join(f"{row}\n" for row in rows))
    configuration = drift_configuration(explained.configuration, PLAN, baseline_uri="s3://b/baseline.csv")
    (folders["config"] / "analysis_config.json").write_text(json.dumps(configuration))
    (folders["draft"] / "drift.json").write_text(DRAFT.to_json())
    inputs = {
        **folders,
        "model": explained.model,
        "baseline": explained.explanations / "explanations_shap" / "baseline.csv",
        "training": explained.explanations / "analysis.json",
    }
    output = run_processing(root / "job", "regression.attribution_drift", inputs, {}, code=analysis_archive())
    return DriftReport.from_json((output / "drift" / "drift.json").read_bytes())


def test_other_rows_of_the_same_table_are_stable(explained: Explained, tmp_path: Path) -> None:
    report = compared(explained, tmp_path, explained.rows)

    assert report.status == "stable"
    assert report.ndcg is not None
    assert report.ndcg > 0.95
    assert set(report.training) == set(report.recent) == set(PLAN.feature_names)
    assert (report.rows_captured, report.workload) == (150, "abalone")


def test_traffic_whose_most_important_column_is_stuck_is_drift(explained: Explained, tmp_path: Path) -> None:
    """Every row has the baseline's shell weight and shucked weight, so these explain nothing any more."""
    rows = [row.split(",") for row in explained.rows]
    chooser = random.Random(1)
    for cells in rows:
        cells[5], cells[7] = "0.336", "0.234"
        cells[2] = str(round(chooser.uniform(0.1, 0.6), 3))

    report = compared(explained, tmp_path, [",".join(cells) for cells in rows])

    assert report.status == "drifted"
    assert report.recent["shell_weight"] == pytest.approx(0.0, abs=1e-9)
    assert report.ndcg is not None
    assert report.ndcg < 0.9
