"""The speed benchmark: what it measures and how it is written down. No figure is checked."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from benchmarks import pages
from benchmarks.speed import growth, rates, report, shared_forest, streaming_work, versions
from benchmarks.speed.cold_start import ColdStart
from benchmarks.speed.contenders import ATTRIBUTE, KRCF, OURS, SCORE, UPDATE, Engine


def test_measures_every_operation_and_names_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_ROWS", 64)
    absent = Engine("absent", "no_such_module", OURS.build)
    found = rates.measure((OURS, KRCF, absent), 2, 3, repetitions=1)
    measured = {(rate.engine, rate.operation) for rate in found if rate.rows_per_second}
    assert measured == {
        (OURS.name, SCORE),
        (OURS.name, ATTRIBUTE),
        (KRCF.name, SCORE),
        (KRCF.name, ATTRIBUTE),
        (KRCF.name, UPDATE),
    }
    assert {rate.engine for rate in found if rate.rows_per_second is None} == {"absent"}


def test_page_has_every_table_and_says_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "TEMPLATE_ROWS", 50)
    monkeypatch.setattr(growth, "TEMPLATES", 3)
    results = {
        "machine": pages.machine(),
        "rates": [
            {"engine": "krcf", "operation": SCORE, "features": 8, "trees": 50, "rows_per_second": 1000.0},
            {"engine": "fast", "operation": SCORE, "features": 8, "trees": 50, "rows_per_second": 12500.0},
            {"engine": "absent", "operation": SCORE, "features": 8, "trees": 50, "rows_per_second": None},
        ],
        "fleet": [asdict(growth.fleet(10, 1))],
    }
    pages.save(tmp_path / "build" / "speed.json", results)
    report.write_page(tmp_path / "page.md", pages.load(tmp_path / "build" / "speed.json"))
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| fast | 12,500 (12 × krcf) |" in page
    assert "| absent | not installed |" in page
    assert "| 10 | 1 |" in page
    assert results["machine"]["measured_at"][:10] in page
    del results["rates"], results["machine"]
    results |= {"fleet_machine": pages.machine(), "fleet": [asdict(growth.fleet(20, 1))]}
    report.write_page(tmp_path / "page.md", results)
    renewed = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| fast | 12,500 (12 × krcf) |" in renewed
    assert "| 10 | 1 |" not in renewed
    assert "| 20 | 1 |" in renewed


def test_page_has_a_version_beside_another_and_keeps_the_other_sections(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Speed\n\n## A record more\n\nkept\n", encoding="utf-8")
    figures = [
        versions.Comparison("a shelf", versions.NOW, "rows/s", 123456.0),
        versions.Comparison("a shelf", versions.BEFORE, "rows/s", 1234.0),
        versions.Comparison("a command", versions.NOW, "s", 1.234, wall_seconds=2.5),
    ]
    results = {"versions_machine": pages.machine(), "versions": [asdict(one) for one in figures]}
    report.write_page(page, results | {"cold_start": asdict(ColdStart(50 << 20, 1.25, 2.5))})
    written = page.read_text(encoding="utf-8")
    assert "| a shelf | 123,456 rows/s | 1,234 rows/s |" in written
    assert "| a command | 1.23 s (2.50) | – |" in written
    assert "| 50 | 1.25 | 2.50 |" in written
    assert "kept" in written


def test_a_version_is_timed_by_what_every_version_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming_work, "ENOUGH_SECONDS", 0.0)
    monkeypatch.setattr(streaming_work, "LEARNED_ROWS", 60)
    monkeypatch.setattr(streaming_work, "SHELF_SERIES", 5)
    for work in versions.RATES:
        assert streaming_work.WORKS[work]()()


def test_features_of_the_shared_forest_are_standardised_values_and_their_differences() -> None:
    state = shared_forest.NormalisedSeries(2)
    generator = np.random.default_rng(0)
    for _ in range(3000):
        rows = state.features(np.array([50.0, -3.0]) + np.array([10.0, 0.1]) * generator.normal(size=2))
    assert rows.shape == (2, shared_forest.FEATURES)
    np.testing.assert_allclose(rows[:, 4], rows[:, 0] - rows[:, 1])
    np.testing.assert_allclose(state.mean, [50.0, -3.0], rtol=0.05)
    np.testing.assert_allclose(np.sqrt(state.variance), [10.0, 0.1], rtol=0.2)


def test_cost_of_a_shared_forest_is_measured_for_every_series() -> None:
    measured = shared_forest.cost(50)
    assert measured.scoring_microseconds > 0
    assert measured.bytes_a_series == 8 * (2 + shared_forest.LAGS)
