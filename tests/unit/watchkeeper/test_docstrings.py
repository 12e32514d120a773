from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "features.schema",
        "telemetry.intervals",
        "telemetry.series",
        "detectors.catalogue",
        "spec.draft",
        "service.tenant_files",
    ],
)
def test_examples_in_docstrings_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"watchkeeper.{module}"))

    assert result.attempted > 0
    assert result.failed == 0
