"""The container contract: where a program finds its files, and what `/opt/ml` means on the laptop."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

OPT_ML = "/opt/ml"


def root() -> Path:
    """The folder that is `/opt/ml` in the image."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", OPT_ML))


def localized(value: Any) -> Any:
    """Return a value with every `/opt/ml` in its strings replaced by the job's own root."""
    if isinstance(value, str):
        return value if str(root()) == OPT_ML else value.replace(f"{OPT_ML}/", f"{root()}/")
    if isinstance(value, dict):
        return {key: localized(item) for key, item in value.items()}
    if isinstance(value, list):
        return [localized(item) for item in value]
    return value


def localize_environment() -> None:
    """Rewrite this process's own environment: the values that name `/opt/ml`."""
    os.environ.update({key: localized(value) for key, value in os.environ.items() if f"{OPT_ML}/" in value})


def read_config(name: str) -> dict[str, Any]:
    """Return `input/config/NAME.json`, an empty object when there is none."""
    path = root() / "input" / "config" / f"{name}.json"
    if not path.exists():
        return {}
    document: dict[str, Any] = localized(json.loads(path.read_text()))
    return document


def configure_logging() -> None:
    """Log to standard output, as the image does."""
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="[%(asctime)s %(levelname)s %(process)d] %(message)s"
    )


def write_failure(message: str) -> None:
    """Write what SageMaker reports as the job's failure reason."""
    path = root() / "output" / "failure"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(message)
