"""Training job: fits the preprocessor on the training rows.

Channels: `train` (`rows.csv`), `plan` (`plan.json`). The model has `preprocessor.json`, `manifest.json` and,
in `code/`, what serves it.
"""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from containers import runtime
from containers.hyperparameters import read_hyperparameters
from containers.preprocessor import FeaturePreprocessor, save_preprocessor
from watchkeeper.errors import InvalidInputError
from watchkeeper.manifest import ArtifactManifest
from watchkeeper.rows import Row, parse_rows
from watchkeeper.timestamps import format_instant

ROWS_NAME = "rows.csv"
SOURCE = Path(__file__).resolve().parent.parent
SERVED = ("watchkeeper", "containers", "serve_preprocessor.py")
"""What of the archive goes into the model: all but `vendor/`, which serving does not need."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hyperparameters:
    """The preprocessor has none: the plan says everything. Any other than the toolkit's own is refused."""


def train() -> None:
    """Fit on the channel `train` and write the model."""
    read_hyperparameters(Hyperparameters, runtime.root())
    plan = runtime.read_plan(runtime.training_channel("plan"))
    rows = _read_rows(runtime.training_channel("train") / ROWS_NAME, plan.features.shingle - 1)
    preprocessor = FeaturePreprocessor(plan).fit(rows)
    first, last = min(row.timestamp for row in rows), max(row.timestamp for row in rows)
    manifest = ArtifactManifest.of(
        plan,
        training_start=format_instant(first),
        training_end=format_instant(last + timedelta(seconds=plan.interval_seconds)),
        n_rows=len(rows),
        hyperparameters={},
    )
    model = runtime.root() / "model"
    model.mkdir(parents=True, exist_ok=True)
    save_preprocessor(preprocessor, manifest, model)
    copy_code(SOURCE, model / "code")
    logger.info(
        "fitted the preprocessor", extra={"rows": len(rows), "series": len(preprocessor.scales_.series)}
    )


def copy_code(source: Path, destination: Path) -> None:
    """Copy what serves the model."""
    for name in SERVED:
        path = source / name
        if path.is_dir():
            shutil.copytree(
                path, destination / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            destination.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, destination / name)


def main() -> None:
    """Run as the training job."""
    runtime.run_job(train)


def _read_rows(path: Path, max_lags: int) -> list[Row]:
    if not path.exists():
        raise InvalidInputError(f"the channel 'train' has no {ROWS_NAME}")
    with path.open(encoding="utf-8") as file:
        try:
            rows = list(parse_rows(file, max_lags=max_lags))
        except InvalidInputError as error:
            raise InvalidInputError(f"{path.name}: {error}", reason=error.reason) from error
    if not rows:
        raise InvalidInputError(f"{path.name} has no rows", reason="too_few_rows")
    return rows
