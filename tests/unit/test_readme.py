"""README is a page to land on, and what is said of a user's machine is so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from cli import datasets
from localcloud.settings import Settings
from watchkeeper.spec import AnomalyWorkload

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
UNCLEAR = (
    "the open home for what they did",
    "the service lends",
    "what is away for a moment is asked again",
    "who may not is",
    "is the threshold)",
    "what it says beside stays",
    "a link replaces, but does not take back",
    "of which one says that it was noise",
    "give files that belong together together",
    "how far the workload is goes by",
    "those that were not there at the first asking do not",
    "ends what its thing had of before",
)
"""Sentences that readers have stumbled over."""


def test_readme_is_short_and_has_what_a_newcomer_looks_for() -> None:
    assert len(README.splitlines()) <= 150
    for words in (
        "watchkeeper score",
        "watchkeeper init",
        "watchkeeper up",
        "How an alert reaches you",
        "watchkeeper cost",
        "You need",
        "GB of disk",
        "a network",
        "make clean-all",
    ):
        assert words in README, words


def test_links_of_readme_and_guides_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs/guides").glob("*.md")):
        for link, heading in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                led = page.parent / link if link else page
                assert led.exists(), f"{page}: {link}"
                assert not heading or heading in headings_of(led), f"{page}: {link}#{heading}"


def headings_of(page: Path) -> list[str]:
    """Return the headings of a page, as GitHub links to them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]


def test_guides_are_all_named_in_readme() -> None:
    assert [
        page.name for page in (ROOT / "docs/guides").glob("*.md") if f"docs/guides/{page.name}" not in README
    ] == ["permissions.md"], "which is for those who work on the project"


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *(ROOT / "docs/guides").glob("*.md")], ids=lambda p: p.name
)
def test_sentences_that_readers_stumbled_over_do_not_come_back(page: Path) -> None:
    text = " ".join(page.read_text(encoding="utf-8").split()).lower()
    assert [words for words in UNCLEAR if words in text] == []


def test_what_pages_show_of_workload_files_is_taken() -> None:
    """Fragments name some keys of a file: those that can be checked alone are."""
    checked = {
        key: TypeAdapter[object](AnomalyWorkload.model_fields[key].annotation or object)
        for key in ("source", "measures", "exclude", "mute", "threshold", "gate", "quality", "alerts")
    }
    found = set[str]()
    for page in (ROOT / "README.md", *(ROOT / "docs/guides").glob("*.md")):
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
            fragment = yaml.safe_load(block)
            if fragment.get("kind", "anomaly") == "anomaly":
                assert set(fragment) <= set(AnomalyWorkload.model_fields), page
                for key in checked.keys() & fragment:
                    checked[key].validate_python(fragment[key])
                    found.add(key)
    assert found == set(checked)


def test_clean_all_removes_what_is_written_outside_of_the_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    said = subprocess.run(
        ["make", "--dry-run", "clean-all"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    removed = next(line for line in said.splitlines() if "removed also" in line)
    for written in (datasets.CACHE, Settings.from_environment({}).image_home):
        assert any(str(written).startswith(place) for place in re.findall(r"/[^ \"]+", removed)), written
