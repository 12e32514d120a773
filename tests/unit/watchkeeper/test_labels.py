from __future__ import annotations

import json
from pathlib import Path

import pytest

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.labels import Labels, read_labels, with_feedback

HOUR = 3600
WINDOW = ["1970-01-01T02:00:00Z", "1970-01-01T03:00:00Z"]


def write(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(document))
    return path


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no such file"):
        read_labels(tmp_path / "labels.json")


def test_both_ends_of_a_window_are_labelled(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, [WINDOW]))
    found = [labels.of("any", start * HOUR, HOUR) for start in range(5)]
    assert found == [False, False, True, True, False]


def test_interval_that_a_window_lies_within_is_labelled(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, [["1970-01-01 00:10", "1970-01-01 00:20"]]))
    assert labels.of("any", 0, HOUR)


def test_series_that_the_file_does_not_name_has_no_labels(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, {"a": [WINDOW], "b": []}))
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
        ([[WINDOW, WINDOW]], r"labels.json\[0\]: expected \[start, end\] or one instant"),
        ([1709251200], r"labels.json\[0\]: expected \[start, end\] or one instant, in ISO 8601"),
        ({"a": {"b": 1}}, r"labels.json\['a'\]: expected a list"),
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


def test_a_point_is_the_interval_that_it_is_in(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, ["1970-01-01T02:30:00Z"]))
    assert [labels.of("any", start * HOUR, HOUR) for start in range(4)] == [False, False, True, False]


STARTS = {"flow": [0, HOUR, 4 * HOUR], "level": [0]}


@pytest.mark.parametrize(
    "document",
    [
        {"other": [WINDOW]},
        [["1969-01-01", "1969-01-02"]],
        [["1970-01-01T02:00:00Z", "1970-01-01T03:59:59Z"]],
        {"level": [["1970-01-01T04:00:00Z", "1970-01-01T05:00:00Z"]]},
        {"realPlant/other.csv": [["1970-01-01", "1970-01-02"]]},
    ],
)
def test_labels_that_meet_no_reading_are_refused_with_the_series_and_their_time(
    tmp_path: Path, document: object
) -> None:
    with pytest.raises(InvalidInputError, match="none of 1 windows meets a reading") as refused:
        read_labels(write(tmp_path, document)).fitted(STARTS, HOUR, {"flow": {"base.csv"}})
    assert "the series are 'flow', 'level', from 1970-01-01T00:00:00Z to 1970-01-01T05:00:00Z" in str(
        refused.value
    )
    assert refused.value.reason == "labels_without_readings"


def test_labels_of_which_some_meet_readings_are_taken_and_the_others_told(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, {"flow": [["1970-01-01", "1970-01-01"]], "other": [WINDOW]}))
    fitted, unmet = labels.fitted(STARTS, HOUR)
    assert fitted.of("flow", 0, HOUR)
    assert unmet == "labels.json: 1 of 2 windows meet no reading"


def test_no_windows_say_that_nothing_is_anomalous(tmp_path: Path) -> None:
    assert read_labels(write(tmp_path, [])).fitted(STARTS, HOUR)[1] == ""


def test_labels_by_file_are_those_of_the_series_in_it(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, {"realPlant/base.csv": [["1970-01-01 00:00:00.000", "1970-01-01"]]}))
    fitted, unmet = labels.fitted(STARTS, HOUR, {"flow": {"base.jsonl.gz"}, "level": {"tank.csv"}})
    assert (fitted.of("flow", 0, HOUR), fitted.of("flow", HOUR, HOUR)) == (True, False)
    assert fitted.of("level", 0, HOUR) is None
    assert unmet == ""


def test_a_run_of_a_part_of_the_history_does_not_expect_windows_outside_of_it(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, [["2031-01-01T00:00:00Z", "2031-01-01T01:00:00Z"]]))
    first = min(min(starts) for starts in STARTS.values() if starts)

    assert labels.fitted(STARTS, HOUR, within=(None, first + HOUR)) == (labels, "")
    with pytest.raises(InvalidInputError, match="none of 1 windows meets a reading"):
        labels.fitted(STARTS, HOUR, within=(first, None))


def test_what_people_said_was_real_is_added_where_it_meets_readings() -> None:
    first, second, elsewhere = ((hour * 3_600_000_000, hour * 3_600_000_000) for hour in (2, 4, 900))
    starts = {name: [hour * HOUR for hour in range(9)] for name in "ab"}
    said = Labels({"a": (first, elsewhere), "b": (), "gone": (first,)})
    counts = {"windows": 1, "series": 1, "without_reading": 2}

    alone, found = with_feedback(None, said, starts, HOUR)
    assert alone is not None
    assert (alone.windows, found) == ({"a": (first,), "b": ()}, counts)
    of_all, _ = with_feedback(Labels((second,)), said, starts, HOUR)
    assert of_all is not None
    assert of_all.windows == {"a": (second, first), "b": (second,)}
    of_some, _ = with_feedback(Labels({"b": (second,)}), said, starts, HOUR)
    assert of_some is not None
    assert of_some.windows == {"a": (first,), "b": (second,)}


def test_without_anything_real_labels_stay_as_they_are() -> None:
    nothing = {"windows": 0, "series": 0, "without_reading": 0}
    assert with_feedback(None, Labels({"a": ()}), {"a": [0]}, HOUR) == (None, nothing)
