from __future__ import annotations

import json
from pathlib import Path

import pytest

from watchkeeper.telemetry.labels import Labels, read_labels
from watchkeeper.core.errors import InvalidInputError

HOUR = 3600
WINDOW = ["1970-01-01T02:00:00Z", "1970-01-01T03:00:00Z"]


def write(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(document))
    return path


def test_absent_file_means_no_labels(tmp_path: Path) -> None:
    assert read_labels(tmp_path / "labels.json") is None


def test_both_ends_of_a_window_are_labelled(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, [WINDOW]))
    assert labels is not None
    found = [labels.of("any", start * HOUR, HOUR) for start in range(5)]
    assert found == [False, False, True, True, False]


def test_interval_that_a_window_lies_within_is_labelled(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, [["1970-01-01 00:10", "1970-01-01 00:20"]]))
    assert labels is not None
    assert labels.of("any", 0, HOUR)


def test_series_that_the_file_does_not_name_has_no_labels(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, {"a": [WINDOW], "b": []}))
    assert labels is not None
    assert [labels.of(series, 2 * HOUR, HOUR) for series in "abc"] == [True, False, None]


def test_empty_list_labels_everything_as_usual() -> None:
    assert Labels(()).of("any", 0, HOUR) is False


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("text", "expected a list"),
        ([["1970-01-01"]], r"labels.json\[0\]: expected \[start, end\]"),
        ([WINDOW, [1, 2]], r"labels.json\[1\]"),
        ([["yesterday", "today"]], r"labels.json\[0\]: timestamp 'yesterday'"),
        ({"a": [WINDOW[::-1]]}, r"labels.json\['a'\]\[0\]: it ends before it begins"),
    ],
)
def test_names_the_window_that_is_wrong(tmp_path: Path, document: object, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read_labels(write(tmp_path, document))


def test_names_a_file_that_is_not_json(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text("[[")
    with pytest.raises(InvalidInputError, match=r"labels\.json is not JSON"):
        read_labels(tmp_path / "labels.json")
