"""`watchkeeper score` on files."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner, Result

from cli.main import app
from watchkeeper.charts.series import extremes
from watchkeeper.command import series_file
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect, TimestampPlan
from watchkeeper.detectors.catalogue import ALGORITHMS
from watchkeeper.detectors.factory import new_detector
from watchkeeper.detectors.streaming.detector import score_series
from watchkeeper.judgement import accuracy

ROWS = 1200
SPIKE = 900
ADDED = ["anomaly_score", "severity", "is_anomaly", "state", "event_severity", "expected", "lower", "upper"]


def telemetry() -> tuple[list[str], np.ndarray, np.ndarray]:
    start = np.datetime64("2026-03-01T00:00:00")
    timestamps = [f"{start + np.timedelta64(300 * row, 's')}Z" for row in range(ROWS)]
    generator = np.random.default_rng(0)
    flow = np.round(50 + 10 * np.sin(2 * np.pi * np.arange(ROWS) / 288) + generator.normal(size=ROWS), 3)
    pressure = np.round(generator.normal(size=ROWS), 3)
    flow[SPIKE] += 60
    return timestamps, flow, pressure


@pytest.fixture
def telemetry_file(tmp_path: Path) -> Path:
    timestamps, flow, pressure = telemetry()
    path = tmp_path / "flow.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Time", "flow", "pressure", "note, free", "broken"])
        for row in range(ROWS):
            broken = int(row in range(SPIKE - 2, SPIKE + 3))
            writer.writerow([timestamps[row], flow[row], pressure[row], 'a "b", c', broken])
    return path


def run(file: Path, *options: str, output: Path | None = None) -> Result:
    destination = output or file.with_name("scores.csv")
    arguments = ["score", str(file), "--timestamp", "Time", "--output", str(destination), *options]
    return CliRunner().invoke(app, arguments)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_writes_the_inputs_rows_in_order_with_the_detectors_scores(telemetry_file: Path) -> None:
    result = run(telemetry_file, "--value", "flow")
    assert result.exit_code == 0, result.output
    written = rows_of(telemetry_file.with_name("scores.csv"))
    assert list(written[0]) == ["Time", "flow", "pressure", "note, free", "broken", *ADDED]
    given = rows_of(telemetry_file)
    assert [{name: row[name] for name in given[0]} for row in written] == given
    timestamps, flow, _ = telemetry()
    expected = score_series(np.array([one[:-1] for one in timestamps], "datetime64[s]"), flow)
    np.testing.assert_allclose([float(row["anomaly_score"]) for row in written], expected.anomaly_score)
    np.testing.assert_allclose([float(row["upper"]) for row in written], expected.upper, rtol=1e-9)
    assert [row["is_anomaly"] == "true" for row in written] == expected.is_anomaly.tolist()
    assert written[SPIKE]["is_anomaly"] == "true"


def test_pieces_parquet_and_gzip_give_the_same_scores(
    telemetry_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = telemetry_file.parent
    timestamps, flow, pressure = telemetry()
    moments = pa.array(
        np.array([one[:-1] for one in timestamps], "datetime64[us]"), pa.timestamp("us", "UTC")
    )
    table = pa.table({"Time": moments, "flow": flow, "pressure": pressure})
    parquet.write_table(table, folder / "flow.parquet")
    (folder / "flow.csv.gz").write_bytes(gzip.compress(telemetry_file.read_bytes()))
    results = []
    for name, piece_rows in (
        ("flow.csv", 20_000),
        ("flow.csv", 7),
        ("flow.parquet", 100),
        ("flow.csv.gz", 999),
    ):
        monkeypatch.setattr(series_file, "PIECE_ROWS", piece_rows)
        assert run(folder / name, "--value", "flow", "--value", "pressure").exit_code == 0
        results.append([row["anomaly_score"] for row in rows_of(folder / "scores.csv")])
    assert len(results[0]) == ROWS
    assert all(one == results[0] for one in results)


def test_an_anomaly_begins_goes_on_and_ends_in_the_file(telemetry_file: Path) -> None:
    assert run(telemetry_file, "--value", "flow").exit_code == 0
    written = rows_of(telemetry_file.with_name("scores.csv"))
    states = [row["state"] for row in written]
    end = states.index("ends", SPIKE)
    assert states[SPIKE] == "begins"
    assert set(states[SPIKE + 1 : end]) == {"ongoing"}
    assert all(float(row["event_severity"]) >= 70 for row in written[SPIKE : end + 1])
    assert states[end + 1] == ""


def test_several_values_have_contributions_that_add_up(telemetry_file: Path) -> None:
    assert run(telemetry_file, "--value", "flow", "--value", "pressure").exit_code == 0
    for row in rows_of(telemetry_file.with_name("scores.csv")):
        total = float(row["contribution_flow"]) + float(row["contribution_pressure"])
        assert total == pytest.approx(float(row["anomaly_score"]), abs=1e-8)


def test_several_values_have_a_band_each_and_the_odd_one_decides(telemetry_file: Path) -> None:
    assert run(telemetry_file, "--value", "pressure", "--value", "flow").exit_code == 0
    row = rows_of(telemetry_file.with_name("scores.csv"))[SPIKE]
    assert row["is_anomaly"] == "true"
    assert float(row["flow"]) > float(row["upper_flow"])
    assert float(row["lower_pressure"]) <= float(row["expected_pressure"]) <= float(row["upper_pressure"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_ranks_the_spike_among_the_odd_rows(telemetry_file: Path, algorithm: str) -> None:
    result = run(
        telemetry_file,
        "--value",
        "flow",
        "--value",
        "pressure",
        "--algorithm",
        algorithm,
        "--fit-rows",
        "800",
    )
    assert result.exit_code == 0, result.output
    scores = [float(row["anomaly_score"]) for row in rows_of(telemetry_file.with_name("scores.csv"))]
    assert all(0 <= score <= 1 for score in scores)
    assert scores[SPIKE] > np.quantile(scores[800:], 0.75)


def test_a_batch_algorithm_learns_nothing_after_its_first_rows(telemetry_file: Path) -> None:
    options = ("--value", "flow", "--algorithm", "hbos", "--fit-rows", "500")
    assert run(telemetry_file, *options).exit_code == 0
    whole = [row["anomaly_score"] for row in rows_of(telemetry_file.with_name("scores.csv"))]
    shorter = telemetry_file.with_name("shorter.csv")
    shorter.write_text("".join(telemetry_file.read_text().splitlines(keepends=True)[:701]))
    assert run(shorter, *options).exit_code == 0
    assert [row["anomaly_score"] for row in rows_of(telemetry_file.with_name("scores.csv"))] == whole[:700]


@pytest.mark.parametrize(("options", "rows"), [((), "180"), (("--fit-rows", "1200"), "1,200")])
def test_says_which_rows_a_batch_algorithm_learned(
    telemetry_file: Path, options: tuple[str, ...], rows: str
) -> None:
    result = run(telemetry_file, "--value", "flow", "--algorithm", "hbos", *options)
    assert result.exit_code == 0, result.output
    assert f"hbos learned from the first {rows} of 1,200 rows" in " ".join(result.output.split())


def test_labels_print_how_well_they_are_found_and_plot_draws(telemetry_file: Path) -> None:
    picture = telemetry_file.with_name("plots") / "flow.png"
    result = run(telemetry_file, "--value", "flow", "--labels", "broken", "--plot", str(picture))
    assert result.exit_code == 0, result.output
    assert "VUS-PR" in result.output
    assert "1 of 1" in result.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_an_empty_value_is_missing_and_scores_nothing(telemetry_file: Path) -> None:
    lines = telemetry_file.read_text().splitlines()
    cells = lines[SPIKE + 1].split(",")
    cells[1] = ""
    lines[SPIKE + 1] = ",".join(cells)
    telemetry_file.write_text("\n".join(lines))
    assert run(telemetry_file, "--value", "flow").exit_code == 0
    row = rows_of(telemetry_file.with_name("scores.csv"))[SPIKE]
    assert (row["flow"], row["anomaly_score"], row["is_anomaly"]) == ("", "0", "false")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (None, ("--value", "flwo"), "(did you mean 'flow'?)"),
        ((7, "2026-03-01", "yesterday"), ("--value", "flow"), "line 8: timestamp 'yesterday"),
        ((3, ",5", ",x5"), ("--value", "flow"), "line 4: flow: 'x5"),
        ((3, ",5", ",x5"), ("--value", "flow"), "leave the cell empty where a value is missing"),
        (None, ("--value", "flow", "--algorithm", "knn", "--parameter", "k=3"), "no hyperparameter 'k'"),
        (None, ("--value", "flow", "--algorithm", "lof", "--parameter", "n_neighbors"), "write NAME=VALUE"),
        (None, ("--value", "flow", "--algorithm", "dbscan", "--parameter", "eps=0"), "eps is 0"),
        ((4, "\n", ",more\n"), ("--value", "flow"), "line 5: 6 cells, the header has 5 columns"),
        (
            (9, ",0\n", ",maybe\n"),
            ("--value", "flow", "--labels", "broken"),
            "line 10: broken: 'maybe' is no label",
        ),
        ((0, "pressure", "severity"), ("--value", "flow"), "has a column 'severity' already"),
        (
            None,
            ("--value", "flow", "--algorithm", "rrcf"),
            "algorithm is 'rrcf' (did you mean rcf?)",
        ),
        (None, ("--value", "flow", "--alert-severity", "101"), "alert_severity is 101"),
        (None, ("--value", "flow", "--interval", "-1"), "interval_seconds is -1.0"),
    ],
)
def test_says_what_is_wrong_and_writes_nothing(
    telemetry_file: Path, change: tuple[int, str, str] | None, options: tuple[str, ...], message: str
) -> None:
    lines = telemetry_file.read_text().splitlines(keepends=True)
    if change is not None:
        line, old, new = change
        assert old in lines[line]
        lines[line] = lines[line].replace(old, new, 1)
        telemetry_file.write_text("".join(lines))
    result = run(telemetry_file, *options)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert [path.name for path in telemetry_file.parent.iterdir()] == ["flow.csv"]


def test_refuses_files_that_are_no_table(tmp_path: Path) -> None:
    (tmp_path / "flow.csv").write_text("Time,flow\n")
    (tmp_path / "flow.parquet").write_bytes(b"PAR1")
    (tmp_path / "latin.csv").write_bytes("Time,flow\n2026-01-01,5 \xb0\n".encode("latin-1"))
    for name, message in (
        ("nowhere.csv", "no such file"),
        ("flow.csv", "there is no row below the header"),
        ("flow.parquet", "damaged Parquet"),
        ("latin.csv", "not text in UTF-8 (byte 0xb0 in line 2)"),
    ):
        result = run(tmp_path / name, "--value", "flow")
        assert result.exit_code == 2
        assert message in " ".join(result.output.split())
    assert run(tmp_path / "flow.csv", "--value", "flow", output=tmp_path / "flow.csv").exit_code == 2


def test_a_long_series_is_drawn_with_its_extremes() -> None:
    values = np.random.default_rng(0).normal(size=100_000)
    values[[5, 60_000]] = 99.0, -99.0
    values[500] = np.nan
    rows = extremes(values, points=400)
    assert len(rows) <= 400
    assert {5, 60_000} <= set(rows.tolist())


def test_accuracy_counts_rows_and_needs_a_label() -> None:
    labels, alerts = np.zeros(400, bool), np.zeros(400, bool)
    labels[100:104] = alerts[102:104] = alerts[7] = True
    found = accuracy.measure(labels, np.sin(np.arange(400) / 9), labels.astype(float), alerts)
    assert (found.precision, found.recall, found.f1) == (pytest.approx(2 / 3), 0.5, pytest.approx(4 / 7))
    assert found.pr_auc == 1
    assert accuracy.windows_of(labels) == [(100, 103)]
    with pytest.raises(InvalidInputError, match="no row is labelled"):
        accuracy.measure(alerts & False, np.ones(400), np.ones(400), alerts)


def test_a_hyperparameter_reaches_the_algorithm(telemetry_file: Path) -> None:
    for bins, name in (("4", "few.csv"), ("40", "many.csv")):
        destination = telemetry_file.with_name(name)
        chosen = ("--algorithm", "HBOS", "--parameter", f"n_bins={bins}", "--fit-rows", str(ROWS))
        assert run(telemetry_file, "--value", "flow", *chosen, output=destination).exit_code == 0
    _, flow, _ = telemetry()
    expected = new_detector("hbos", n_bins=40).fit(flow).score_samples(flow)
    many = [float(row["anomaly_score"]) for row in rows_of(telemetry_file.with_name("many.csv"))]
    np.testing.assert_allclose(many, expected, rtol=1e-9)
    assert many != [float(row["anomaly_score"]) for row in rows_of(telemetry_file.with_name("few.csv"))]


def test_a_file_that_runs_backwards_is_refused_and_one_row_that_does_is_told(telemetry_file: Path) -> None:
    header, *lines = telemetry_file.read_text().splitlines(keepends=True)
    telemetry_file.write_text("".join([header, *reversed(lines)]))
    refused = run(telemetry_file, "--value", "flow")
    assert refused.exit_code == 2
    assert "sort the file by 'Time', the oldest row first" in " ".join(refused.output.split())
    assert not telemetry_file.with_name("scores.csv").exists()

    lines[7], lines[8] = lines[8], lines[7]
    telemetry_file.write_text("".join([header, *lines]))
    told = run(telemetry_file, "--value", "flow")
    assert told.exit_code == 0
    assert "before them: 1, the first is row 9" in " ".join(told.output.split())


def test_a_table_without_times_is_refused_with_what_scores_it(tmp_path: Path) -> None:
    path = tmp_path / "abalone.csv"
    path.write_text("length,rings\n0.4,9\n0.5,10\n")

    refused = run(path, "--value", "length")

    assert refused.exit_code == 2
    said = " ".join(refused.output.split())
    assert "the header has no column 'Time'" in said
    assert "the anomaly service scores such a table" in said


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    result = run(tmp_path / "empty.csv", "--value", "flow")
    assert result.exit_code == 2
    assert "is empty: its first line must name the columns" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("name", "line", "value"),
    [
        ("a.csv", "{time};1,234\n", 1.234),
        ("a.csv", "{time};1.234,5\n", 1234.5),
        ("a.jsonl", '{{"Time": "{time}", "flow": 1.234}}\n', 1.234),
        ("a.jsonl", '{{"Time": "{time}", "flow": "1.5"}}\n', 1.5),
    ],
)
def test_a_decimal_comma_is_of_csv_and_a_json_number_stays(
    tmp_path: Path, name: str, line: str, value: float
) -> None:
    lines = [line.format(time=time) for time in telemetry()[0][:50]]
    path = tmp_path / name
    path.write_text(("Time;flow\n" if name.endswith(".csv") else "") + "".join(lines))
    columns = series_file.Columns(TimestampPlan("Time"), ("flow",), dialect=Dialect(decimal=","))
    (piece,) = series_file.SeriesFile(path, columns)
    assert set(piece.values[:, 0]) == {value}


def test_what_a_spreadsheet_would_run_is_written_as_text_and_numbers_stay(tmp_path: Path) -> None:
    lines = [f"2024-01-01 00:{minute:02}:00,{minute % 3 - 1}.5,=1+1,@x" for minute in range(60)]
    file = tmp_path / "foreign.csv"
    file.write_text("Time,value,=HYPERLINK(A1),note\n" + "\n".join(lines) + "\n")

    assert run(file, "--value", "value").exit_code == 0

    row = rows_of(tmp_path / "scores.csv")[0]
    assert (row["'=HYPERLINK(A1)"], row["note"], row["value"]) == ("'=1+1", "'@x", "-1.5")


@pytest.fixture
def machines_file(tmp_path: Path) -> Path:
    """Two machines in one file: what is usual for one is far from the other."""
    timestamps, flow, _ = telemetry()
    path = tmp_path / "machines.csv"
    lines = ["Time,hall,machine,flow"]
    for row in range(ROWS):
        lines.append(f"{timestamps[row]},1,a,{flow[row]}")
        lines.append(f"{timestamps[row]},1,b,{1000 - 3 * flow[row]:.3f}")
    path.write_text("\n".join([*lines, ""]))
    return path


@pytest.mark.parametrize("algorithm", ["watchkeeper", "isolation_forest"])
def test_each_series_of_a_dimension_is_scored_as_if_it_were_alone(
    machines_file: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    monkeypatch.setattr(series_file, "PIECE_ROWS", 501)
    options = ("--value", "flow", "--algorithm", algorithm, "--fit-rows", "200")

    answer = run(machines_file, *options, "--dimension", "machine")

    assert answer.exit_code == 0, answer.output
    assert "of 2 series" in answer.output
    together = rows_of(machines_file.with_name("scores.csv"))
    assert [row["machine"] for row in together[:4]] == ["a", "b", "a", "b"]
    for machine in "ab":
        rows = machines_file.read_text().splitlines()
        alone = machines_file.with_name(f"{machine}.csv")
        alone.write_text("\n".join([rows[0], *(row for row in rows if f",{machine}," in row), ""]))
        assert run(alone, *options, output=alone.with_name("alone.csv")).exit_code == 0
        own = [row for row in together if row["machine"] == machine]
        assert own == rows_of(alone.with_name("alone.csv"))
        assert own[SPIKE]["is_anomaly"] == "true" or algorithm != "watchkeeper"


def test_series_that_one_column_tells_apart_are_refused_with_the_option(machines_file: Path) -> None:
    answer = run(machines_file, "--value", "flow")

    assert answer.exit_code == 2
    assert "column 'machine' tells 'a', 'b' apart: add --dimension machine" in answer.output
    assert not machines_file.with_name("scores.csv").exists()


def test_series_that_several_columns_tell_apart_are_refused_with_the_columns(machines_file: Path) -> None:
    more = machines_file.read_text().splitlines()
    second = [row.replace(",1,", ",2,") for row in more[1:]]
    ordered = [row for pair in zip(more[1:], second, strict=True) for row in pair]
    machines_file.write_text("\n".join([more[0], *ordered, ""]))

    answer = run(machines_file, "--value", "flow")
    both = run(machines_file, "--value", "flow", "--dimension", "hall", "--dimension", "machine")

    assert answer.exit_code == 2
    assert "--dimension COLUMN for each: there are 'hall', 'machine'" in answer.output
    assert (both.exit_code, "of 4 series" in both.output) == (0, True)


def test_a_picture_is_of_one_series(machines_file: Path) -> None:
    answer = run(machines_file, "--value", "flow", "--dimension", "machine", "--plot", "scores.png")

    assert (answer.exit_code, "--plot looks at one series" in answer.output) == (2, True)


RULED = """\
name: flow
kind: anomaly
source: {topic: plant/flow, timestamp: {field: Time}}
measures:
  - {field: flow, name: flow, allowed: {lower: 40, severity: 90}, DIRECTION}
  - {field: pressure, name: pressure}
dimensions: DIMENSIONS
interval: 5m
"""


def workload_file(folder: Path, more: str = "", direction: str = "direction: both", of: str = "[]") -> Path:
    path = folder / "flow.yaml"
    path.write_text(RULED.replace("DIRECTION", direction).replace("DIMENSIONS", of) + more)
    return path


def ruled(file: Path, workload: Path, *options: str) -> list[dict[str, str]]:
    destination = file.with_name("scores.csv")
    arguments = ["score", str(file), "--workload", str(workload), "--value", "flow", *options]
    answer = CliRunner().invoke(app, [*arguments, "--output", str(destination)])
    assert answer.exit_code == 0, answer.output
    return rows_of(destination)


def test_a_value_outside_of_the_allowed_range_is_an_anomaly(telemetry_file: Path) -> None:
    rows = ruled(telemetry_file, workload_file(telemetry_file.parent))
    outside = [row for row in rows if float(row["flow"]) < 40]
    assert outside
    assert all((row["is_anomaly"], row["rule"]) == ("true", "allowed") for row in outside)
    assert min(float(row["severity"]) for row in outside) == 90
    assert rows[SPIKE]["is_anomaly"] == "true"


@pytest.mark.parametrize(
    ("more", "direction", "rule"),
    [
        ("", "direction: below", "direction"),
        ("", "ignore_below: {absolute: 1000}", "ignore_below"),
        ("calendars: [{name: test, dates: [2026-03-04]}]\n", "direction: above", "calendar test"),
    ],
)
@pytest.mark.parametrize("algorithm", ["watchkeeper", "quantile"])
def test_a_rule_of_the_measure_decides_and_is_named(
    telemetry_file: Path, more: str, direction: str, rule: str, algorithm: str
) -> None:
    workload = workload_file(telemetry_file.parent, more, direction)
    row = ruled(telemetry_file, workload, "--algorithm", algorithm)[SPIKE]
    assert (row["is_anomaly"], row["rule"], row["state"]) == ("false", rule, "")
    assert float(row["severity"]) > 70, "scores stay as they are"


def test_missing_rows_are_what_the_measure_says(telemetry_file: Path) -> None:
    lines = telemetry_file.read_text().splitlines()
    telemetry_file.write_text("\n".join([*lines[:600], *lines[640:], ""]))
    summed = RULED.replace("DIRECTION", "aggregate: sum").replace("DIMENSIONS", "[]")
    workload = telemetry_file.with_name("flow.yaml")
    workload.write_text(summed.replace(", allowed: {lower: 40, severity: 90}", ""))
    rows = ruled(telemetry_file, workload)
    assert rows == ruled(telemetry_file, workload, "--missing", "zero")
    assert rows != ruled(telemetry_file, workload, "--missing", "ignore")


def test_calendars_hold_for_the_series_that_they_name(machines_file: Path) -> None:
    only = "calendars: [{name: a, dates: [2026-03-04], only: {where: {machine: a}}}]\n"
    rows = ruled(machines_file, workload_file(machines_file.parent, only, of="[hall, machine]"))
    a, b = ([row for row in rows if row["machine"] == machine][SPIKE] for machine in "ab")
    assert (a["rule"], a["is_anomaly"], b["is_anomaly"]) == ("calendar a", "false", "true")


def test_one_measure_is_named_where_the_workload_has_several(telemetry_file: Path) -> None:
    workload = workload_file(telemetry_file.parent)
    several = run(telemetry_file, "--workload", str(workload))
    unknown = run(telemetry_file, "--workload", str(workload), "--value", "broken")
    nothing = CliRunner().invoke(app, ["score", str(telemetry_file), "--output", "x.csv"])
    assert (several.exit_code, unknown.exit_code, nothing.exit_code) == (2, 2, 2)
    assert "name one by --value, of flow, pressure" in several.output
    assert "its fields: flow, pressure" in unknown.output
    assert "--timestamp and --value, or --workload" in nothing.output
