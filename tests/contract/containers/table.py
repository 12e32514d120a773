"""Abalone, prepared, trained, served and evaluated by the image's real processes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.datasets import ABALONE, located
from cli.failures import StepFailedError
from pipeline.packaging import REGRESSOR, script_mode_hyperparameters, serving_environment
from tests.contract.containers.laptop import SKLEARN, code_archive, run_processing, run_training, serving
from watchkeeper.regression.plan import ColumnPlan, RegressionPlan, TableHistoryPlan, TableSplitPlan

HEADERS = (
    "sex",
    "length",
    "diameter",
    "height",
    "whole_weight",
    "shucked_weight",
    "viscera_weight",
    "shell_weight",
    "rings",
)
HYPERPARAMETERS: dict[str, int | float | str] = {
    "n_estimators": 40,
    "min_samples_leaf": 5,
    "max_features": 1.0,
    "random_state": 7,
}
PLAN = RegressionPlan(
    workload="abalone",
    target="rings",
    features=(
        ColumnPlan("sex", "one_hot"),
        *(ColumnPlan(name, "numeric") for name in HEADERS[1:-1]),
    ),
    history=TableHistoryPlan(headers=HEADERS, split=TableSplitPlan("random", 0.8, 7)),
    hyperparameters=HYPERPARAMETERS,
)


@dataclass(frozen=True)
class Prepared:
    """What the jobs before the training made."""

    history: Path
    plan_file: Path
    prepared: Path
    quarantine: Path


def abalone() -> Path:
    """Return the file; the test is skipped where it cannot be had."""
    try:
        return located(ABALONE)
    except StepFailedError as error:
        pytest.skip(str(error))


def prepare(root: Path, history: Path, plan: RegressionPlan, **environment: str) -> Prepared:
    plan_file = root / "plan.json"
    plan_file.write_text(plan.to_json())
    output = run_processing(
        root / "prepare", "regression.prepare", {"plan": plan_file, "history": history}, environment
    )
    return Prepared(history, plan_file, output / "prepared", output / "quarantine")


def train(root: Path, prepared: Prepared, hyperparameters: dict[str, int | float | str]) -> Path:
    channels = {
        "train": prepared.prepared / "train" / "rows.csv",
        "plan": prepared.plan_file,
        "code": code_archive(),
    }
    text = {name: str(value) for name, value in hyperparameters.items()}
    return run_training(root, SKLEARN, channels, {**script_mode_hyperparameters(REGRESSOR), **text})


def serve(root: Path, model: Path):  # type: ignore[no-untyped-def]
    environment = serving_environment(REGRESSOR, "us-east-1", accept="application/json")
    return serving(root, SKLEARN, model, environment)


def folder_with(root: Path, name: str, content: str) -> Path:
    folder = root / "history"
    folder.mkdir()
    (folder / name).write_text(content)
    return folder


def copied(root: Path, source: Path, name: str) -> Path:
    folder = root / "history"
    folder.mkdir()
    shutil.copy(source, folder / name)
    return folder
