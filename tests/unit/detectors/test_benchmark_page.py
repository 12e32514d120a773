"""Writing the benchmark's results into its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.quality.__main__ import PAGE, write_between_marks
from benchmarks.quality.corpus import locate

PAGE_TEXT = "# Title\n<!-- one -->\nold\n<!-- /one -->\nkept\n"


def test_results_replace_what_stands_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE_TEXT, encoding="utf-8")
    write_between_marks(page, {"one": "| new |\n"})
    assert page.read_text(encoding="utf-8") == PAGE_TEXT.replace("old", "| new |")


def test_a_page_without_the_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE_TEXT, encoding="utf-8")
    with pytest.raises(ValueError, match="<!-- two -->"):
        write_between_marks(page, {"two": ""})


def test_the_page_has_every_mark_once() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in (
        "leaderboard",
        "threshold-free",
        "halves",
        "categories",
        "showcase",
        "calibration",
        "first-rows",
        "weekly-rhythm",
        "long-series",
        "ablation",
        "happenings",
        "quiet",
        "operations",
    ):
        assert text.count(f"<!-- {name} -->") == text.count(f"<!-- /{name} -->") == 1


def test_a_file_that_is_not_pinned_is_never_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="not a pinned file"):
        locate("data/another.csv")
