"""What a job of the service is told, and where its files are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from watchkeeper.core.errors import ContractViolationError, InvalidInputError, WatchkeeperError
from watchkeeper.service.failures import describe_failure

PREFIX = "WATCHKEEPER_"


@dataclass(frozen=True)
class PredictSettings:
    """Environment variables of the jobs that judge a table: `WATCHKEEPER_` and a field's name in capitals."""

    task: str
    """`train`, `valid` or `infer`."""
    features: str
    """Name of the file in the input `features`."""
    predictions: str
    """Name of the file to write."""
    labels: str = ""
    """Name of the file in the input `labels`; empty without."""
    model: str = ""
    """Name of the file in the input `model`; empty for a univariate method."""
    charts: str = ""
    """`true` draws charts."""
    method: str = ""
    """Univariate method."""
    parameters: str = "{}"
    """Its parameters that are not the defaults, as JSON."""
    decimal: str = "."
    """Decimal sign of the CSV files."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> PredictSettings:
        """Read the settings.

        Raises
        ------
        ContractViolationError
            If a variable that is needed is not set.
        """
        given: dict[str, Any] = {
            field.name: environment.get(
                f"{PREFIX}{field.name.upper()}", "" if field.default is MISSING else field.default
            )
            for field in fields(cls)
        }
        for name in ("task", "features", "predictions"):
            if not given[name]:
                raise ContractViolationError(f"the environment variable {PREFIX}{name.upper()} is not set")
        return cls(**given)


def given_file(folder: Path, key: str) -> Path:
    """Return the file of a key in an input's folder.

    The input is a prefix, so that other files whose names begin like it may lie beside it.

    Raises
    ------
    ContractViolationError
        If it is not there.
    """
    path = folder / key.rpartition("/")[2]
    if not path.is_file():
        found = ", ".join(sorted(each.name for each in folder.glob("*"))) or "nothing"
        raise ContractViolationError(f"{folder}: {path.name} is needed, there is {found}")
    return path


def failure_text(error: WatchkeeperError) -> str:
    """Return a job's error as the service's callers are told it."""
    if isinstance(error, InvalidInputError):
        return describe_failure(error)
    return f"{type(error).__name__}: {error}"
