"""Files read a column at a time say what they say record by record."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from containers.anomaly.telemetry import Telemetry, read_folder
from tests.unit.watchkeeper.backtest.histories import csv_of, plan_of_two, readings_of
from watchkeeper.backtest.scores import closed_intervals
from watchkeeper.core.plan import SeriesSelection, WorkloadPlan
from watchkeeper.telemetry.columns import NotOrdinaryError, intervals_of, read_columns

HEADER = b"t,device,m,n\n"


def by_column(contents: list[bytes], plan: WorkloadPlan) -> dict[str, list[tuple[int, float]]]:
    files = [read_columns(io.BytesIO(content), plan, "h.csv") for content in contents]
    closed = closed_intervals(intervals_of(files, plan), plan)
    return {
        name: list(zip(one.starts.tolist(), one.values.tolist(), strict=True)) for name, one in closed.items()
    }


def by_record(contents: list[bytes], plan: WorkloadPlan, folder: Path) -> dict[str, list[tuple[int, float]]]:
    history = folder / "history"
    history.mkdir()
    for number, content in enumerate(contents):
        (history / f"{number}.csv").write_bytes(content)
    telemetry = Telemetry(plan)
    read_folder(history, telemetry, folder / "quarantine")
    return telemetry.closed_values()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"interval_seconds": 300},
        {"history_seconds": 36_000},
        {"exclude": (SeriesSelection("n", {"device": ("b",)}),)},
        {"dimensions": (), "lateness_seconds": 0},
    ],
    ids=str,
)
def test_values_are_those_that_training_takes(changes: dict[str, object], tmp_path: Path) -> None:
    plan = plan_of_two(**changes)
    readings = readings_of("a" if not plan.dimensions else "abc")
    random.Random(7).shuffle(readings)
    contents = [csv_of(readings[:900]), csv_of(readings[900:])]

    assert by_column(contents, plan) == by_record(contents, plan, tmp_path)


@pytest.mark.parametrize(
    "lines",
    [
        b"1970-01-01T00:00:00Z,a,1,2\n1970-01-01T00:00:00Z,a,1,2\n",
        b"1970-01-01T00:00:00Z,a,1,2\nyesterday,a,1,2\n",
        b"1970-01-01T00:00:00Z,a,1,2\n1970-01-01T00:01:00Z,,1,2\n",
        b"1970-01-01T00:00:00Z,a,1,2\n1970-01-01T00:01:00Z,a,,\n",
        b"1970-01-01T00:00:00Z,a,1,2\n1970-01-01T00:01:00Z,a,1_0,2\n",
        b"1970-01-01T00:00:00Z,a,1,2\n1970-01-01T00:01:00Z,a,warm,2\n",
        b"1970-01-01T00:00:00Z,a,1,2\n1970-01-01T00:01:00Z,a,inf,2\n",
        b"1970-01-01T00:00:00Z,a,1,2\n1970-01-01T00:01:00Z,a,1\n",
        b"",
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_who_reads_record_by_record(lines: bytes) -> None:
    with pytest.raises(NotOrdinaryError):
        by_column([HEADER + lines], plan_of_two())


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.replace(b",a,", b',"a",'),
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content.replace(b",", b";"),
        lambda content: content.replace(b"\n", b"\n\n"),
        lambda content: content.rstrip(b"\n"),
        lambda content: b"\xef\xbb\xbf" + content,
    ],
    ids=["quotes", "carriage returns", "semicolons", "empty lines", "no last end of line", "mark"],
)
def test_how_a_table_is_written_changes_nothing(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    plan, content = plan_of_two(), csv_of(readings_of(minutes=200))

    found = by_column([change(content)], plan)

    assert found == by_column([content], plan) == by_record([change(content)], plan, tmp_path)


def test_words_for_no_value_are_no_value() -> None:
    lines = b"1970-01-01T00:00:00Z,a,1,NA\n1970-01-01T00:01:00Z,a,nan,2\n1970-01-01T01:00:00Z,a,3,\n"

    found = by_column([HEADER + lines], plan_of_two())

    assert found["m|device=a"] == [(0, 1.0)]
