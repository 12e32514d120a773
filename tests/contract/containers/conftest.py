"""One pipeline for all tests here: prepared, trained and served, on river's water-flow series."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import river.datasets

from tests.contract.containers.laptop import (
    Container,
    run_processing,
    serve_forest,
    serve_preprocessor,
    train_forest,
    train_preprocessor,
)
from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.features.matrix import feature_dim


@dataclass(frozen=True)
class Pipeline:
    """Artifacts and serving containers."""

    plan: WorkloadPlan
    plan_file: Path
    history: Path
    prepared: Path
    features: Path
    preprocessor_archive: Path
    forest_archive: Path
    preprocessor: Container
    forest: Container

    def score(self, rows: str, accept: str = "application/json"):  # type: ignore[no-untyped-def]
        """Send rows through both containers, as the endpoint does."""
        features = self.preprocessor.post(rows, "text/csv", accept)
        if features.status != 200:
            return features
        return self.forest.post(features.body, features.content_type, accept)


@pytest.fixture(scope="session")
def plan() -> WorkloadPlan:
    return WorkloadPlan(
        workload="water_flow",
        timestamp=TimestampPlan("Time"),
        measures=(MeasurePlan("flow", "Water flow [l/s]"),),
        interval_seconds=3600,
        features=FeaturePlan(shingle=4, time_of_day=True),
    )


@pytest.fixture(scope="session")
def pipeline(plan: WorkloadPlan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    root = tmp_path_factory.mktemp("pipeline")
    plan_file = root / "plan.json"
    plan_file.write_text(plan.to_json())
    history = root / "history"
    history.mkdir()
    shutil.copy(Path(river.datasets.__file__).parent / "water-flow.csv", history)
    prepared = (
        run_processing(root / "prepare", "anomaly.prepare", {"plan": plan_file, "history": history}, {})
        / "prepared"
    )
    rows = prepared / "train" / "rows.csv"
    preprocessor = train_preprocessor(root / "preprocessor", rows, plan_file)
    with serve_preprocessor(root / "serve-preprocessor", preprocessor) as first:
        features = root / "rows.csv.out"
        features.write_bytes(first.post(rows.read_bytes(), "text/csv").body)
        forest = train_forest(root / "forest", features, {"feature_dim": str(feature_dim(plan))})
        with serve_forest(root / "serve-forest", forest) as second:
            yield Pipeline(plan, plan_file, history, prepared, features, preprocessor, forest, first, second)
