"""Benchmarks that no other test runs still fit what they measure: each at its smallest, without a figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scale import equality
from benchmarks.scale.folder import FolderStore
from benchmarks.shelves.__main__ import main as shelves
from lambdas.adapters.object_store import ObjectUri


def test_an_interval_of_series_goes_through_the_functions_host(capsys: pytest.CaptureFixture[str]) -> None:
    shelves([8], intervals=3)

    assert capsys.readouterr().out.splitlines()[-1].startswith("| 8 | 1 |")


def test_objects_are_scored_with_a_folder_in_s3s_place(tmp_path: Path) -> None:
    announced = equality.prepare(tmp_path, series=8, intervals=6, most=8, a_manifest=4)

    equality.in_lambda(tmp_path, announced)

    bucket = str(tmp_path / "alone").lstrip("/")
    found = FolderStore("/").listed(ObjectUri(bucket, "scores/"))
    assert found
    assert FolderStore("/").keys_under(ObjectUri(bucket, "scores/"), found[0].key) == [
        each.key for each in found[1:]
    ]
