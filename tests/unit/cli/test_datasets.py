"""Public data: where it is looked for, and that its content is checked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from cli.datasets import DATASETS, DataFile, KeptFile, PackagedFile, dataset_of, located
from cli.failures import StepFailedError
from watchkeeper.core.errors import InvalidInputError

CONTENT = b"timestamp,value\n"
FILE = DataFile("a/b.csv", "https://example.invalid/b.csv", hashlib.sha256(CONTENT).hexdigest())


def put(folder: Path, content: bytes = CONTENT) -> Path:
    path = folder / FILE.path
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_the_users_folder_comes_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = put(tmp_path / "mine")
    put(tmp_path / "cache")
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(tmp_path / "mine"))

    assert located(FILE, tmp_path / "cache") == mine


def test_the_cache_is_used_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHKEEPER_DATA_DIR", raising=False)
    cached = put(tmp_path)

    assert located(FILE, tmp_path) == cached


def test_another_version_of_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHKEEPER_DATA_DIR", raising=False)
    put(tmp_path, b"changed\n")

    with pytest.raises(StepFailedError, match="SHA-256"):
        located(FILE, tmp_path)


def test_a_file_that_cannot_be_had_says_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHKEEPER_DATA_DIR", raising=False)

    def unreachable(url: str, timeout: float) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("cli.datasets.urlopen", unreachable)

    with pytest.raises(StepFailedError, match=r"WATCHKEEPER_DATA_DIR/a/b\.csv"):
        located(FILE, tmp_path)
    assert not list(tmp_path.rglob("*.csv"))


def test_a_file_that_nobody_offers_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptFile(FILE.path, "https://example.invalid/home", FILE.sha256)
    mine = put(tmp_path / "mine")
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(tmp_path / "mine"))
    assert located(kept, tmp_path / "cache") == mine

    mine.unlink()
    with pytest.raises(
        StepFailedError, match=r"a/b\.csv is not in \$WATCHKEEPER_DATA_DIR; it comes from https"
    ):
        located(kept, tmp_path / "cache")


def test_the_default_demo_needs_no_download() -> None:
    history = DATASETS["water_flow"].history

    assert isinstance(history, PackagedFile)
    assert located(history).is_file()


def test_generated_data_are_the_pinned_bytes(tmp_path: Path) -> None:
    dataset = DATASETS["stock_volume"]

    assert located(dataset.history, tmp_path).read_text().startswith("date,volume\n2014-01-02,")
    assert dataset.labels is not None
    assert located(dataset.labels, tmp_path).is_file()


def test_a_workload_without_data_is_refused_with_those_that_have_some() -> None:
    with pytest.raises(InvalidInputError, match="water_flow, machine_temperature, air_quality"):
        dataset_of("nope")
