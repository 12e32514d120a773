"""A site that was not built, or of other sources, is not deployed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.site import WEB, built_site, sources_digest
from watchkeeper.core.errors import UnavailableError


@pytest.fixture
def web(tmp_path: Path) -> Path:
    found = tmp_path / "web"
    shutil.copytree(WEB, found, ignore=shutil.ignore_patterns("node_modules", "dist"))
    return found


def test_a_site_of_these_sources_is_taken(web: Path) -> None:
    (web / "dist").mkdir()
    (web / "dist" / ".built").write_text(f"{sources_digest(web)}\n")

    assert built_site(web) == web / "dist"


def test_one_that_is_missing_or_of_other_sources_is_refused(web: Path) -> None:
    with pytest.raises(UnavailableError, match=r"not built .* run `make setup`.*cdk.json"):
        built_site(web)

    (web / "dist").mkdir()
    (web / "dist" / ".built").write_text(sources_digest(web))
    (web / "index.html").write_text("<!doctype html>")
    with pytest.raises(UnavailableError, match="built of other sources: run `make setup`"):
        built_site(web)
