"""A spec that is right, and a way to make it wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from watchkeeper.spec import Problem, WorkloadSpec, WorkloadSpecError, load_workload

GOOD = """\
name: press
kind: anomaly
source:
  topic: plant/press
measures:
  - {field: pressure, name: pressure}
interval: 5m
"""

Problems = Callable[[str], list[Problem]]


@pytest.fixture
def good() -> str:
    """A whole spec without mistakes."""
    return GOOD


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], WorkloadSpec]:
    """Load `press.yaml` of this content after the required keys."""

    def loaded(more: str = "", text: str = GOOD) -> WorkloadSpec:
        path = tmp_path / "press.yaml"
        path.write_text(text + more, encoding="utf-8")
        return load_workload(path)

    return loaded


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    """Return what is wrong with a whole spec."""

    def found(text: str) -> list[Problem]:
        path = tmp_path / "press.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(WorkloadSpecError) as refused:
            load_workload(path)
        assert str(refused.value) == "\n".join(map(str, refused.value.problems))
        return refused.value.problems

    return found
