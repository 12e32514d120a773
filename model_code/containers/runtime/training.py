"""What the training jobs of script mode share: their rows, and the code that goes into the model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from containers.runtime import job
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.lifecycle.manifest import ArtifactManifest
from watchkeeper.telemetry.rows import Row, parse_rows

AnyRow = TypeVar("AnyRow")

ROWS_NAME = "rows.csv"
SOURCE = Path(__file__).resolve().parents[2]
PACKAGES = ("watchkeeper", "containers")
"""What of the archive goes into every model: all but `vendor/`, which serving does not need."""


def read_training_rows(max_lags: int) -> list[Row]:
    """Return the rows of the channel `train`; none has more than `max_lags` lags.

    Raises
    ------
    InvalidInputError
        If there is no file, a row does not parse, or there are no rows.
    """
    return read_rows(partial(parse_rows, max_lags=max_lags))


def read_rows(read: Callable[[Iterable[str]], Iterable[AnyRow]]) -> list[AnyRow]:
    """Return the rows of the channel `train` as `read` makes them of its lines; see `read_training_rows`."""
    path = job.training_channel("train") / ROWS_NAME
    if not path.exists():
        raise InvalidInputError(f"the channel 'train' has no {ROWS_NAME}")
    with path.open(encoding="utf-8", newline="") as file:
        try:
            rows = list(read(file))
        except InvalidInputError as error:
            raise InvalidInputError(f"{path.name}: {error}", reason=error.reason) from error
    if not rows:
        raise InvalidInputError(f"{path.name} has no rows", reason="too_few_rows")
    return rows


def manifest_of(
    plan: WorkloadPlan, rows: list[Row], hyperparameters: dict[str, Any] | None = None
) -> ArtifactManifest:
    """Return the manifest of an artifact that was fitted on these rows."""
    first, last = min(row.timestamp for row in rows), max(row.timestamp for row in rows)
    return ArtifactManifest.of(
        plan,
        training_start=format_instant(first),
        training_end=format_instant(last + timedelta(seconds=plan.interval_seconds)),
        n_rows=len(rows),
        hyperparameters=hyperparameters or {},
    )


def copy_serving_code(program: str, destination: Path, source: Path = SOURCE) -> None:
    """Copy the packages and the entry file that serve the model into its `code/`."""
    destination.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        shutil.copytree(source / name, destination / name, dirs_exist_ok=True)
    shutil.copyfile(source / program, destination / program)
