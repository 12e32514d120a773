from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from containers.anomaly.telemetry import Telemetry, read_folder
from tests.unit.containers.plans import HOUR, hourly
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Aggregate, MeasurePlan
from watchkeeper.telemetry.intervals import aggregate_records
from watchkeeper.telemetry.records import parse_record

READINGS = [
    {"time": "1970-01-01T00:00:00Z", "flow": 1},
    {"time": "1970-01-01T00:30:00Z", "flow": 3},
    {"time": "1970-01-01T01:00:00Z", "flow": 5},
]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    folder = tmp_path / "history"
    folder.mkdir()
    return folder


@pytest.fixture
def quarantine(tmp_path: Path) -> Path:
    folder = tmp_path / "quarantine"
    folder.mkdir()
    return folder


def json_lines(*readings: object) -> bytes:
    return "".join(json.dumps(reading) + "\n" for reading in readings).encode()


def refused(quarantine: Path) -> list[dict[str, object]]:
    return [
        json.loads(line) for path in sorted(quarantine.iterdir()) for line in path.read_text().splitlines()
    ]


def test_aggregates_files_of_every_kind(history: Path, quarantine: Path) -> None:
    (history / "a.csv").write_text("time,flow\n1970-01-01T00:00:00Z,1\n")
    (history / "b.jsonl.gz").write_bytes(gzip.compress(json_lines(READINGS[1])))
    (history / "c.ndjson").write_bytes(json_lines(READINGS[2]))
    telemetry = Telemetry(hourly())
    assert read_folder(history, telemetry, quarantine) == 3
    assert telemetry.series_values() == {"flow": [(0, 2.0), (HOUR, 5.0)]}
    assert (telemetry.read, telemetry.accepted) == (3, 3)


def test_aggregates_as_streaming_does(history: Path, quarantine: Path) -> None:
    aggregates: dict[str, Aggregate] = {"n": "count", "top": "max", "values": "distinct"}
    plan = hourly(measures=tuple(MeasurePlan(name, "flow", one) for name, one in aggregates.items()))
    again = {"time": "1970-01-01T00:45:00Z", "flow": 3}
    (history / "a.jsonl").write_bytes(json_lines(*READINGS, again, READINGS[0]))
    telemetry = Telemetry(plan)
    read_folder(history, telemetry, quarantine)
    records = [parse_record(json.dumps(reading), plan) for reading in [*READINGS, again]]
    assert telemetry.series_values() == aggregate_records(records, plan)
    assert telemetry.series_values()["values"] == [(0, 2.0), (HOUR, 1.0)]


def test_counts_a_record_once_whatever_file_it_is_in(history: Path, quarantine: Path) -> None:
    (history / "a.csv").write_text("time,flow\n1970-01-01T00:00:00Z,1.0\n")
    (history / "b.jsonl").write_bytes(json_lines({**READINGS[0], "workload": "water", "received_at": 7}))
    telemetry = Telemetry(hourly())
    read_folder(history, telemetry, quarantine)
    assert (telemetry.accepted, telemetry.duplicates) == (1, 1)


def test_reads_what_the_delivery_stream_stored(tmp_path: Path, quarantine: Path) -> None:
    folder = tmp_path / "raw" / "year=1970" / "month=01"
    folder.mkdir(parents=True)
    (folder / "stream-1-1970-01-01-00-00-00-uuid").write_bytes(gzip.compress(json_lines(*READINGS)))
    (folder / "stream-1-1970-01-01-00-05-00-uuid.gz").write_bytes(json_lines(READINGS[2]))
    telemetry = Telemetry(hourly())
    assert read_folder(tmp_path / "raw", telemetry, quarantine, delivered=True) == 2
    assert (telemetry.accepted, telemetry.duplicates, telemetry.delivered.n_refused) == (3, 1, 0)


def test_quarantines_a_line_with_its_source_reason_and_text(history: Path, quarantine: Path) -> None:
    (history / "a.jsonl").write_bytes(json_lines(READINGS[0], {"time": "soon", "flow": 1}) + b"{\n")
    telemetry = Telemetry(hourly())
    read_folder(history, telemetry, quarantine)
    assert telemetry.history.refused == {"bad_timestamp": 1, "not_json": 1}
    first, second = refused(quarantine)
    assert (first["source"], first["line"], first["reason"]) == ("history/a.jsonl", 2, "bad_timestamp")
    assert (second["line"], second["text"]) == (3, "{")
    assert telemetry.history.first_refusal.startswith("history/a.jsonl, line 2: timestamp 'soon'")


def test_quarantines_the_rest_of_a_damaged_object_and_reads_the_others(
    history: Path, quarantine: Path
) -> None:
    (history / "a.jsonl.gz").write_bytes(gzip.compress(json_lines(*READINGS))[:-9])
    (history / "b.jsonl").write_bytes(json_lines(READINGS[0]))
    (history / "c.xlsx").write_bytes(b"PK\x03\x04")
    telemetry = Telemetry(hourly())
    read_folder(history, telemetry, quarantine, delivered=True)
    assert telemetry.delivered.refused == {"corrupt_gzip": 1, "unreadable_file": 1}
    assert [entry["line"] for entry in refused(quarantine)] == [0, 0]
    assert telemetry.accepted >= 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(json_lines(*READINGS), mtime=0)[:-9], "corrupt_gzip"),
        (b"PK\x03\x04", "unreadable_file"),
        (b"time,value\n1970-01-01,1\n", "missing_column"),
        (b'time,flow\n1970-01-01,1\n"1970-01-02,1\n1970-01-03,1\n', "unclosed_quote"),
    ],
)
def test_a_history_file_that_cannot_be_read_fails_the_run(
    history: Path, quarantine: Path, content: bytes, reason: str
) -> None:
    (history / "a.csv").write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"history/a\.csv") as failed:
        read_folder(history, Telemetry(hourly()), quarantine)
    assert failed.value.reason == reason


def test_notes_what_is_strange_about_a_file(history: Path, quarantine: Path) -> None:
    plan = hourly(measures=(MeasurePlan("flow", "flow"), MeasurePlan("level", "level")))
    rows = [f"1970-01-01T{hour:02}:00:00Z,{hour},m{n}" for hour in range(20) for n in range(3)]
    (history / "a.csv").write_text("\n".join(["time,flow,machine", *rows]))
    telemetry = Telemetry(plan)
    read_folder(history, telemetry, quarantine)
    empty, interleaved = telemetry.notes
    assert "measure 'level' has not one value in 60 records" in empty
    assert "3 series are in one" in interleaved
    assert "column 'machine' tells 'm0', 'm1', 'm2' apart: name it in dimensions" in interleaved


def test_labels_and_empty_files_are_no_telemetry(history: Path, quarantine: Path) -> None:
    (history / "labels.json").write_text("[]")
    (history / ".keep").write_text("x")
    (history / "empty.csv").write_text("")
    assert read_folder(history, Telemetry(hourly()), quarantine) == 0


def test_absent_folder_has_no_files(tmp_path: Path, quarantine: Path) -> None:
    assert read_folder(tmp_path / "raw", Telemetry(hourly()), quarantine) == 0


def test_window_keeps_whole_intervals_and_excludes_its_end(history: Path, quarantine: Path) -> None:
    (history / "a.jsonl").write_bytes(json_lines(*READINGS))
    telemetry = Telemetry(hourly(), start=0, end=HOUR)
    read_folder(history, telemetry, quarantine)
    assert telemetry.series_values() == {"flow": [(0, 2.0)]}
    assert telemetry.outside == 1


def test_keeps_the_newest_history_of_all_series(history: Path, quarantine: Path) -> None:
    plan = hourly(dimensions=("hall",), history_seconds=2 * HOUR)
    rows = [(0, "a"), (1, "a"), (2, "a"), (0, "b")]
    (history / "a.jsonl").write_bytes(
        json_lines(*({"time": f"1970-01-01T0{hour}:00Z", "flow": 1, "hall": hall} for hour, hall in rows))
    )
    telemetry = Telemetry(plan)
    read_folder(history, telemetry, quarantine)
    assert telemetry.series_values() == {"flow|hall=a": [(HOUR, 1.0), (2 * HOUR, 1.0)]}
