"""Reading what the training workflow's states pass to their functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.lifecycle.run import TrainingRun


def text_of(payload: Mapping[str, Any], key: str) -> str:
    """Return a text of the payload.

    Raises
    ------
    ContractViolationError
        If the state machine did not pass it.
    """
    value = payload.get(key)
    if not isinstance(value, str) or not value:
        raise ContractViolationError(f"the state passed {key} = {value!r}, expected text")
    return value


def number_of(payload: Mapping[str, Any], key: str) -> float:
    """Return a number of the payload.

    Raises
    ------
    ContractViolationError
        If the state machine did not pass it.
    """
    value = payload.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ContractViolationError(f"the state passed {key} = {value!r}, expected a number")
    return value


def run_of(payload: Mapping[str, Any]) -> TrainingRun:
    """Return the run that the state passed as `run`.

    Raises
    ------
    ContractViolationError
        If it is missing or not a `TrainingRun` of this release.
    """
    return TrainingRun.from_dict(payload.get("run"))
