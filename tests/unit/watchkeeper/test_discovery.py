"""What files of telemetry say of themselves, and the workload that is written from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect, WorkloadPlan
from watchkeeper.spec import load_workload
from watchkeeper.spec.discovery import Discovery, discover
from watchkeeper.spec.draft import budget_of, distinct_names, draft
from watchkeeper.telemetry.history import History
from watchkeeper.telemetry.records import Record

Write = Callable[..., Path]
START = datetime(2024, 3, 4, tzinfo=UTC)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str, name: str = "plant.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def plain(n: int = 400, step: timedelta = timedelta(minutes=5), header: str = "time,flow") -> str:
    lines = (f"{START + step * row:%Y-%m-%dT%H:%M:%SZ},{np.sin(row) + 2:.3f}" for row in range(n))
    return "\n".join([header, *lines, ""])


def german(zone: str = "Europe/Berlin", days: int = 40) -> str:
    """Return what a spreadsheet of three machines exports: local time, semicolons, decimal commas."""
    lines = ["Zeitstempel;Maschine;Temperatur [°C];Druck [bar]"]
    for row in range(days * 24):
        local = (START + timedelta(hours=row)).astimezone(ZoneInfo(zone))
        for machine in range(3):
            day = np.sin(2 * np.pi * row / 24)
            temperature = f"{60 + machine + 4 * day:.2f}".replace(".", ",")
            pressure = f"1.{200 + int(9 * day):03}," + f"{row % 97:02}"
            lines.append(f"{local:%d.%m.%Y %H:%M:%S};Presse {machine + 1};{temperature};{pressure}")
    return "\n".join(lines)


def loaded(found: Discovery, folder: Path, alerts_per_week: float | None = None) -> WorkloadPlan:
    path = folder / "drafted.yaml"
    path.write_text(draft(found, name="drafted", alerts_per_week=alerts_per_week), encoding="utf-8")
    plan = load_workload(path).plan()
    assert isinstance(plan, WorkloadPlan)
    return plan


def test_a_spreadsheets_export_becomes_a_workload_that_reads_it(write: Write, tmp_path: Path) -> None:
    path = write(german(), encoding="utf-16")
    found = discover([path])
    plan = loaded(found, tmp_path)

    assert found.timestamp.format == "%d.%m.%Y %H:%M:%S"
    assert found.timestamp.timezone == "Europe/Berlin"
    assert found.dialect == Dialect(decimal=",")
    assert [(measure.name, measure.field) for measure in plan.measures] == [
        ("temperatur", "Temperatur [°C]"),
        ("druck", "Druck [bar]"),
    ]
    assert plan.dimensions == ("Maschine",)
    assert plan.interval_seconds == 3600
    assert found.n_series == 3
    assert (found.first, found.last) == (START, START + timedelta(days=40) - timedelta(hours=1))
    assert found.rhythms["day"] > 0.9
    with path.open("rb") as stream:
        lines = list(History(stream, plan, path.name))
    assert all(isinstance(line.outcome, Record) for line in lines)
    assert len(lines) == found.n_rows


@pytest.mark.parametrize(
    ("zone", "right"),
    [
        ("Europe/Vienna", "Europe/Berlin"),
        ("Europe/London", "Europe/London"),
        ("America/Denver", "America/New_York"),
        ("Asia/Tokyo", "UTC"),
    ],
)
def test_the_hour_that_clocks_skip_tells_the_family_of_the_zone(write: Write, zone: str, right: str) -> None:
    found = discover([write(german(zone))])

    assert found.timestamp.timezone == right
    assert any("times name no time zone" in doubt for doubt in found.doubts)


@pytest.mark.parametrize(
    ("step", "interval"),
    [
        (timedelta(seconds=1), 1),
        (timedelta(seconds=61), 60),
        (timedelta(minutes=5), 300),
        (timedelta(hours=1), 3600),
        (timedelta(days=1), 86_400),
    ],
)
def test_the_interval_is_the_step_of_the_readings(write: Write, step: timedelta, interval: int) -> None:
    assert discover([write(plain(step=step))]).interval_seconds == interval


def test_irregular_readings_get_an_interval_that_has_one_and_it_is_told(write: Write) -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.exponential(100, 2000))
    text = "time,a\n" + "".join(f"{1.7e9 + each:.3f},{each % 7:.2f}\n" for each in times)
    found = discover([write(text)])

    assert found.interval_seconds == 300
    assert any("irregularly" in doubt for doubt in found.doubts)


def test_gaps_are_the_intervals_without_a_reading(write: Write) -> None:
    lines = plain(400).splitlines()

    assert discover([write("\n".join(lines[:101] + lines[201:]))]).gaps == pytest.approx(0.25)


def table(header: str, row: Callable[[int], str]) -> str:
    return "\n".join([header, *map(row, range(60)), ""])


MILLISECONDS = table("a,when", lambda row: f"{row % 5}.5,{1_709_251_200_000 + 60_000 * row}")
MONTH_FIRST = table("Datum,a", lambda row: f"{row % 12 + 1:02}/{13 + row % 9}/2024,{row % 5}.5")
LARGE_NUMBERS = table("bytes,at,x", lambda row: f"{17e8 + row % 7:.0f},2024-01-01 00:{row:02},{row % 3}.1")


@pytest.mark.parametrize(
    ("text", "field", "name"),
    [
        (plain(), "time", "iso8601"),
        (MILLISECONDS, "when", "epoch_milliseconds"),
        (MONTH_FIRST, "Datum", "%m/%d/%Y"),
        (LARGE_NUMBERS, "at", "iso8601"),
    ],
)
def test_the_time_is_found_by_its_values(write: Write, text: str, field: str, name: str) -> None:
    timestamp = discover([write(text)]).timestamp

    assert (timestamp.field, timestamp.format) == (field, name)


def test_days_and_months_that_may_be_either_are_told(write: Write) -> None:
    text = "day,a\n" + "".join(f"0{row % 9 + 1}/0{row // 9 + 1}/2024,{row % 5}.5\n" for row in range(60))
    found = discover([write(text)])

    assert found.timestamp.format == "%d/%m/%Y"
    assert any("%m/%d/%Y would read every one of them too" in doubt for doubt in found.doubts)


def test_numbers_that_tell_series_apart_are_a_dimension(write: Write) -> None:
    lines = ["time,press,load"]
    lines += [f"2024-01-01 {row:02}:00,{press},{row + press / 8}" for row in range(24) for press in (1, 2)]
    found = discover([write("\n".join(lines))])

    assert dict(found.dimensions) == {"press": 2}
    assert [measure.field for measure in found.measures] == ["load"]


def test_columns_that_are_no_measure_are_left_out_and_told(write: Write) -> None:
    lines = ["time,load,unit,spare,note,broken"]
    lines += [f"2024-01-01 {row:02}:00,{row / 8},7,,n{row},{row % 2}" for row in range(24)]
    found = discover([write("\n".join(lines))])
    doubts = "\n".join(found.doubts)

    assert [measure.field for measure in found.measures] == ["load", "broken"]
    assert "column 'unit' is always 7: left out" in doubts
    assert "column 'spare' has no value: left out" in doubts
    assert "left out: 'note'" in doubts
    assert "column 'broken' is 0 or 1" in doubts


def test_json_lines_and_several_files_are_one_history(write: Write) -> None:
    rows = [json.dumps({"time": 1_709_251_200 + 60 * row, "a": row / 8}) for row in range(90)]
    first, second = write("\n".join(rows[:60]), "a.jsonl"), write("\n".join(rows[60:]), "b.jsonl")

    assert discover([first, second]).n_rows == 90


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["a,b\n1,2\n3,4\n"], "no column has times; the columns are 'a', 'b'"),
        (["time,a\n2024-01-01,x\n2024-01-02,y\n"], "no column of numbers changes"),
        (["time,a\n"], "has no rows"),
        (["a,b\n1,2\n3,4\n"], "`kind: regression` predicts one of its columns"),
        (["time,amount,isFraud\n2024-01-01,5,0\n2024-01-02,6,1\n"], "'isFraud' says .* `kind: fraud` judges"),
        ([plain(), plain(header="time,level")], "other columns than the files before it: 'flow', 'level'"),
    ],
)
def test_what_cannot_be_a_workload_is_refused(write: Write, texts: list[str], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        discover([write(text, f"{number}.csv") for number, text in enumerate(texts)])


def test_the_budget_is_twice_the_wanted_alerts_or_what_chance_may_do_in_a_short_test_part(
    write: Write,
) -> None:
    month = "time,load\n" + "".join(
        f"{datetime(2024, 1, 1) + timedelta(hours=hour):%Y-%m-%d %H:%M},{hour % 7 + 0.5}\n"
        for hour in range(24 * 360)
    )

    assert budget_of(discover([write(month)]), 7) == 14
    assert budget_of(discover([write(plain())]), 7) == 28


def test_the_zone_that_is_told_is_taken_without_a_doubt(write: Write) -> None:
    found = discover([write(plain().replace("Z,", ","))], "Europe/Berlin")

    assert found.timestamp.timezone == "Europe/Berlin"
    assert found.doubts == ()
    with pytest.raises(InvalidInputError, match="did you mean Europe/Berlin"):
        discover([write(plain())], "CEST")


def test_german_files_without_a_zone_are_doubted_by_name(write: Write) -> None:
    rows = "".join(f"02.01.2024 00:{minute:02}:00;{minute % 7},5\n" for minute in range(60))

    (doubt,) = discover([write(f"Zeit;Last [kN]\n{rows}")]).doubts

    assert "written as in Germany" in doubt
    assert "--timezone Europe/Berlin" in doubt


@pytest.mark.parametrize(
    "header", ["nan", "CO₂ (ppm)", "1", "-", "température", "x" * 80, "a: b # c", 'say "no"', "{a}"]
)
def test_any_header_becomes_a_valid_workload(write: Write, tmp_path: Path, header: str) -> None:
    quoted = '"' + header.replace('"', '""') + '"'
    plan = loaded(discover([write(plain(header=f"time,{quoted}"))]), tmp_path)

    assert plan.measures[0].field == header


def test_names_are_distinct_and_short() -> None:
    names = distinct_names(["flow [l/s]", "flow [m3]", "x" * 40, "x" * 50])

    assert len(set(names)) == 4
    assert max(map(len, names)) <= 31
