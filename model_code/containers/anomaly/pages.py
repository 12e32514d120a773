"""Pages as files of a job or an artifact: one of each shelf."""

from __future__ import annotations

from pathlib import Path

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.stream.page import Page
from watchkeeper.stream.page_format import from_bytes, to_bytes
from watchkeeper.stream.warming import page_name

PAGES_NAME = "pages"


def write_page(folder: Path, page: Page) -> None:
    """Write a page; the folder is made."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / page_name(page.shelf)).write_bytes(to_bytes(page))


def page_files(folder: Path) -> list[Path]:
    """Return the files of a folder's pages.

    Raises
    ------
    ContractViolationError
        If there is none.
    """
    found = sorted(folder.glob(page_name("*")))
    if not found:
        raise ContractViolationError(f"{folder} has no pages: it is not of a streaming detector")
    return found


def read_page(file: Path) -> Page:
    """Read a page."""
    return from_bytes(file.read_bytes())
