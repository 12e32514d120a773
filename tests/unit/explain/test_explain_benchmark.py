"""The benchmark of explanations: what it measures and how it is written down. No figure is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from benchmarks import pages
from benchmarks.explain import measurements, page, subjects
from benchmarks.explain.measurements import Cost
from benchmarks.explain.subjects import Subject


def small(model: Any) -> Subject:
    subject = subjects.wide(5, 4)
    return Subject(
        "small", model.fit(subject.rows.to_numpy(), subject.rows["x0"]), subject.rows, subject.baseline
    )


def test_measures_all_methods_that_fit_the_model() -> None:
    tree = measurements.speed(small(DecisionTreeRegressor(random_state=0)), plain_rows=2)
    other = measurements.speed(small(Ridge()), plain_rows=2)

    assert tree.difference < 1e-9
    assert tree.tree is not None
    assert tree.tree_difference is not None
    assert tree.tree_difference < 1e-9
    assert other.difference < 1e-9
    assert other.tree is None


def test_page_names_command_machine_and_every_measurement(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forest = {
        "rows": 200,
        "difference": 4e-7,
        "our_additivity": 1e-14,
        "shap_additivity": 0.2,
        "kernel_difference": 1e-13,
    }
    results = {
        "machine": pages.machine(),
        "speeds": [
            {
                "model": "forest",
                "plain": 50.0,
                "kernel": 5.0,
                "tree": 0.5,
                "difference": 1e-14,
                "tree_difference": 1e-13,
            },
            {
                "model": "ridge",
                "plain": 2.0,
                "kernel": 0.5,
                "tree": None,
                "difference": 1e-14,
                "tree_difference": None,
            },
        ],
        "agreement": {
            "samples": {20: {"rank_correlation": 0.95, "difference": 1.2, "additivity": 1e-14}},
            "additivity": 1e-14,
            "whole": forest,
            "published": forest,
        },
        "growth": [vars(Cost("tree", 1_000, 8, 0.5, 300 * 1024**2))],
    }

    text = page.render(results)

    assert "make bench-explain" in text
    assert "| forest | 50 | 5 (10 × faster) | 0.5 (100 × faster) | 1e-14 |" in text
    assert "| ridge | 2 | 0.5 (4 × faster) | – | 1e-14 |" in text
    assert "| 20 | 0.950 | 1.2 rings | 1e-14 |" in text
    assert "| tree | 1,000 | 8 | 0.5 | 300 MiB |" in text
    assert "up to 0.2 rings" in text
