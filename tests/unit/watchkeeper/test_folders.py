"""Paths of folders with date parts: which are understood, and which files are in them."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.folders import FolderPath


@pytest.mark.parametrize(
    ("template", "folder"),
    [
        ("a/{{yyyyMMdd}}/{{HHmm}}/", "a/20260301/0605/"),
        ("{{yyyy}}/{{MM}}/{{dd}}/", "2026/03/01/"),
        ("dt={{yyyy-MM-dd}}/h={{HH}}/", "dt=2026-03-01/h=06/"),
        ("plain/", "plain/"),
    ],
)
def test_a_folder_is_named_by_the_beginning_of_its_interval(template: str, folder: str) -> None:
    path = FolderPath(template)
    assert path.at(datetime(2026, 3, 1, 6, 5)) == folder
    assert path.holds(f"{folder}part-0.csv")


@pytest.mark.parametrize("template", ["{{week}}/", "{{}}/", "{yyyy}/", "a/{{yyyy", "{{yyyyQ}}"])
def test_what_is_no_date_is_refused(template: str) -> None:
    with pytest.raises(InvalidInputError, match="yyyyMMdd"):
        FolderPath(template)


@pytest.mark.parametrize("key", ["a/2026/_SUCCESS", "a/2026/", "a/2026/.tmp", "a/now/x.csv", "b/2026/x.csv"])
def test_what_is_no_file_of_a_folder_is_left(key: str) -> None:
    assert not FolderPath("a/{{yyyy}}/").holds(key)


@given(st.datetimes(min_value=datetime(1000, 1, 1)))
def test_every_folder_that_is_named_is_found(moment: datetime) -> None:
    path = FolderPath("x.y/{{yyyyMMdd}}/{{HHmm}}/")
    assert path.holds(f"{path.at(moment)}a.csv")
