from __future__ import annotations

import dataclasses
import gzip
import io

import pytest

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.telemetry.history import History
from watchkeeper.telemetry.records import Record

PLAN = WorkloadPlan(
    "air",
    TimestampPlan("TIMESTAMP", "%Y-%m-%d %H:%M"),
    (MeasurePlan("co", "CO"), MeasurePlan("so2", "SO2")),
    300,
    dimensions=("LOCATION_ID",),
)
HEADER = b"TIMESTAMP,LOCATION_ID,CO,SO2\n"


def read(content: bytes, name: str, plan: WorkloadPlan = PLAN) -> list[tuple[int, str, str | Record]]:
    return [
        (line.number, line.text, getattr(line.outcome, "reason", line.outcome))
        for line in History(io.BytesIO(content), plan, name)
    ]


def test_the_same_reading_is_the_same_record_in_every_kind_of_file() -> None:
    csv = HEADER + b"2022-03-20 00:00,B-101,2.6,62\n"
    json_line = b'{"TIMESTAMP":"2022-03-20 00:00","LOCATION_ID":"B-101","CO":2.6,"SO2":62}\n'
    mark = b"\xef\xbb\xbf"
    files = {
        "a.csv": csv,
        "b.csv": mark + csv,
        "c.csv.gz": gzip.compress(csv),
        "d.csv": csv.replace(b"\n", b"\r\n"),
        "e.jsonl": json_line,
        "f.json": mark + json_line,
        "g.jsonl.gz": gzip.compress(mark + json_line),
        "h.ndjson": json_line,
        "i.csv": csv.replace(b",", b";"),
        "j.csv": b"sep=|\n" + csv.replace(b",", b"|"),
        "k.csv": csv.replace(b"\n", b"\r"),
        "l.csv": csv.decode().encode("utf-16"),
        "m.csv": csv.decode().encode("utf-16-be"),
        "n.csv": b"[" + json_line + b"]",
        "o.csv": json_line,
        "p.csv.gz": csv,
        "q.csv": gzip.compress(csv),
    }

    records = {name: read(content, name)[0][2] for name, content in files.items()}

    assert len({record.record_id for record in records.values() if isinstance(record, Record)}) == 1
    assert all(isinstance(record, Record) for record in records.values())


def test_yields_what_is_wrong_with_a_line_in_its_place() -> None:
    content = HEADER + (
        b"2022-03-20 00:00,B-101,2.6,62\n"
        b"2022-03-20 00:05,B-101,2.6\n"
        b"\n"
        b"2022-03-20 00:10,B-101,high,62\n"
        b"2022-03-20 00:15,B-,NaN,null\n"
        b'2022-03-20 00:20,"B\n101",2.6,62\n'
        b"2022-03-20 00:25,B-101,,\n"
        b"2022-03-20 00:30, B-101, 2.6, 62\n"
    )

    results = read(content, "history.csv")

    outcomes = [(number, item if isinstance(item, str) else "ok") for number, _, item in results]
    assert outcomes == [
        (2, "ok"),
        (3, "wrong_width"),
        (5, "not_a_number"),
        (6, "missing_measures"),
        (7, "ok"),
        (9, "missing_measures"),
        (10, "ok"),
    ]
    assert results[1][1] == "2022-03-20 00:05,B-101,2.6"
    assert results[4][1] == '2022-03-20 00:20,"B\n101",2.6,62'
    assert isinstance(results[6][2], Record)
    assert results[6][2].dimensions == {"LOCATION_ID": "B-101"}


def test_keeps_reading_after_a_line_that_is_not_csv() -> None:
    content = HEADER + b'2022-03-20 00:00,"B"x,2.6,62\n2022-03-20 00:05,B-101,2.6,62\n'

    results = read(content, "history.csv")

    assert [item if isinstance(item, str) else "ok" for _, _, item in results] == ["not_csv", "ok"]


def test_keeps_reading_after_a_line_that_is_not_json() -> None:
    good = b'{"TIMESTAMP":"2022-03-20 00:00","LOCATION_ID":"B-101","CO":2.6}'

    results = list(History(io.BytesIO(b"{broken\n \n" + good), PLAN, "press.jsonl"))

    assert [line.number for line in results] == [1, 3]
    assert isinstance(results[0].outcome, InvalidInputError)
    assert results[0].text == "{broken"
    assert isinstance(results[1].outcome, Record)


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "a.csv", "empty_file"),
        (HEADER + b"2022-03-20 00:15,B-\xff,2.6,62\n", "a.csv", "not_utf8"),
        (HEADER + b'2022-03-20 00:15,"B,2.6,62\n2022-03-20 00:20,B,2.6,62\n', "a.csv", "unclosed_quote"),
        (b"TIMESTAMP,LOCATION_ID,CO,CO\n", "a.csv", "duplicate_column"),
        (b"time,LOCATION_ID,CO\n", "a.csv", "missing_column"),
        (b"TIMESTAMP,LOCATION_ID,NO2\n", "a.csv", "missing_column"),
        (b"TIMESTAMP:LOCATION_ID:CO\n", "a.csv", "missing_column"),
        (gzip.compress(HEADER, mtime=0)[:-6], "a.csv.gz", "corrupt_gzip"),
        (b"PAR1" + HEADER, "a.csv", "unreadable_file"),
        (b"PK\x03\x04", "a.csv", "unreadable_file"),
    ],
)
def test_refuses_a_file_that_cannot_be_read_at_all(content: bytes, name: str, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=name) as refused:
        read(content, name)

    assert refused.value.reason == reason


def test_names_the_column_that_is_missing_and_those_that_are_there() -> None:
    plan = dataclasses.replace(PLAN, record_id_field="id")

    with pytest.raises(
        InvalidInputError, match=r"no column 'id'; its columns are 'TIMESTAMP', 'LOCATION_ID'"
    ):
        read(HEADER, "a.csv", plan)
