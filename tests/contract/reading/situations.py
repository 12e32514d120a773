"""Files as people have them, and what is right: how many rows are taken, or what the refusal says.

All have the columns `timestamp` and `value`, unless they are about that, and 40 rows of 5 minutes.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import pandas
import pyarrow
import zstandard
from pyarrow.parquet import write_table

ROWS = 40
HEADER = ["timestamp", "value"]
TABLE = [[f"2024-03-01 {row // 12:02}:{row % 12 * 5:02}:00", f"{row % 8 == 0:.3f}"] for row in range(ROWS)]


@dataclass(frozen=True)
class Situation:
    """A file, and what is right."""

    name: str
    content: bytes
    right: int | str
    """Rows that are taken; or a part of the message that refuses the file."""
    file: str = "history.csv"
    unless: dict[str, int | str] = field(default_factory=dict)
    """What is right for a kind of reader in its place; the kinds are in `readers.py`."""


def csv(
    rows: list[list[str]], header: list[str] | None = None, delimiter: str = ",", line_break: str = "\n"
) -> str:
    lines = [header or HEADER, *rows]
    return "".join(delimiter.join(cells) + line_break for cells in lines)


def changed(row: int, *cells: str) -> list[list[str]]:
    """Return the table with other cells in a row; row 0 is line 2."""
    return [*TABLE[:row], list(cells), *TABLE[row + 1 :]]


PLAIN = csv(TABLE)
RECORDS = [{"timestamp": time, "value": float(value)} for time, value in TABLE]
LINES = "".join(json.dumps(record) + "\n" for record in RECORDS)
QUOTED = PLAIN.replace("2024-03-01 00:50:00,", '"2024-03-01 00:50:00,')
SWALLOWED = QUOTED.replace("2024-03-01 02:30:00,", '2024-03-01 02:30:00",')

NOTED = "".join(f'{time},"{value}","a, b\nc"\n' for time, value in TABLE)


TIMES = [record["timestamp"] for record in RECORDS]
VALUES = [record["value"] for record in RECORDS]
INSTANTS = [datetime.fromisoformat(time) for time in TIMES]


def parquet(times: Sequence[object] = TIMES, values: Any = VALUES) -> bytes:
    return arrow(pyarrow.table({"timestamp": times, "value": values}))


def arrow(table: pyarrow.Table) -> bytes:
    content = io.BytesIO()
    write_table(table, content)
    return content.getvalue()


def tar_archive() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("history.csv")
        member.size = len(PLAIN)
        archive.addfile(member, io.BytesIO(PLAIN.encode()))
    return content.getvalue()


def of_values(
    name: str,
    content: bytes,
    message: str,
    *,
    head: int | str = ROWS,
    shown: int | str = "is not a finite number",
) -> Situation:
    """A file in which no value is a number."""
    passed_on = {"table": 0, "job": 0, "analysis": ROWS, "requests": ROWS}
    return Situation(name, content, message, unless={**passed_on, "features": shown, "head": head})


SITUATIONS = (
    Situation("plain", PLAIN.encode(), ROWS),
    Situation("semicolons", csv(TABLE, delimiter=";").encode(), ROWS),
    Situation("tabs", csv(TABLE, delimiter="\t").encode(), ROWS),
    Situation("pipes", csv(TABLE, delimiter="|").encode(), ROWS),
    Situation("a line that says the delimiter", ("sep=;\n" + csv(TABLE, delimiter=";")).encode(), ROWS),
    Situation("CRLF", csv(TABLE, line_break="\r\n").encode(), ROWS),
    Situation("CR", csv(TABLE, line_break="\r").encode(), ROWS),
    Situation("a byte-order mark", PLAIN.encode("utf-8-sig"), ROWS),
    Situation("UTF-16", PLAIN.encode("utf-16"), ROWS),
    Situation("UTF-16 without a mark", PLAIN.encode("utf-16-le"), ROWS),
    Situation("gzip under another name", gzip.compress(PLAIN.encode()), ROWS),
    Situation("no gzip under its name", PLAIN.encode(), ROWS, "history.csv.gz"),
    Situation("JSON lines under another name", LINES.encode(), ROWS),
    Situation("an array of JSON objects", json.dumps(RECORDS).encode(), ROWS),
    Situation("empty lines", PLAIN.replace("\n", "\n\n").encode(), ROWS),
    Situation("no line break at the end", PLAIN.rstrip("\n").encode(), ROWS),
    Situation(
        "quoted cells with delimiters and line breaks",
        f'timestamp,value,"note\nof it"\n{NOTED}'.encode(),
        ROWS,
        unless={
            "analysis": "the configuration has 'timestamp', 'value'",
            "features": "is not a finite number",
            "head": "is not a finite number",
        },
    ),
    Situation("Parquet under another name", parquet(), ROWS),
    Situation(
        "a header in another order", csv([cells[::-1] for cells in TABLE], HEADER[::-1]).encode(), ROWS
    ),
    Situation(
        "a last line that is cut off",
        (PLAIN + "2024-03-01 15:20").encode(),
        ROWS,
        unless={
            "features": "line 42: 1 cells, the header has 2 columns",
            "head": "line 42: 1 cells, the header has 2 columns",
            "requests": "line 42: 1 cells, the header has 2 columns",
        },
    ),
    Situation(
        "one value of four is missing",
        csv([[time, ("", "NA", "null", value)[row % 4]] for row, (time, value) in enumerate(TABLE)]).encode(),
        10,
        unless={
            "analysis": ROWS,
            "features": ROWS,
            "labels": "row 0 has no label",
            "series": ROWS,
            "requests": ROWS,
            "training": "75% of the history are unusable",
        },
    ),
    Situation(
        "not one value",
        csv([[time, "NULL"] for time, _ in TABLE]).encode(),
        "40 refused (40 missing_measures)",
        unless={
            "table": 0,
            "analysis": "column 'value' has not one value in 40 rows",
            "features": ROWS,
            "head": ROWS,
            "labels": "row 0 has no label",
            "series": "column 'value' has not one value in 40 rows",
            "requests": ROWS,
            "training": "nothing is usable",
            "job": 0,
        },
    ),
    Situation(
        "one cell that is no number",
        csv(changed(7, TABLE[7][0], "high")).encode(),
        ROWS - 1,
        unless={
            "analysis": ROWS,
            "features": "column 'value', row 7 (line 9 of the file): 'high'",
            "head": "column 'value', row 7 (line 9 of the file): 'high'",
            "series": "line 9: value: 'high' is not a number",
            "requests": ROWS,
        },
    ),
    Situation(
        "a leap second",
        csv([["2016-12-31 23:59:60", "1"], *TABLE]).encode(),
        ROWS + 1,
    ),
    Situation("before 1970", csv([["1901-05-17 00:00:00", "1"], *TABLE]).encode(), ROWS + 1),
    Situation("a quote that is never closed", QUOTED.encode(), "the quote opened in line 12 is not closed"),
    Situation(
        "a quote that another row's quote closes",
        SWALLOWED.encode(),
        "the quote opened in line 12 is not closed",
    ),
    Situation(
        "Latin-1",
        PLAIN.replace("value", "value,°C", 1).encode("latin-1"),
        "not text in UTF-8 (byte 0xb0 in line 1), perhaps Latin-1",
    ),
    Situation("a workbook", b"PK\x03\x04" + b"\0" * 100, "Excel workbook"),
    Situation("damaged gzip", gzip.compress(PLAIN.encode())[:-9], "damaged gzip", unless={"head": ROWS}),
    Situation("zero bytes", bytes(range(256)), "neither text nor Parquet"),
    Situation(
        "a column twice",
        csv([[*cells, "1"] for cells in TABLE], [*HEADER, "value"]).encode(),
        "2 columns are named 'value'",
    ),
    Situation(
        "another column",
        csv(TABLE, ["timestamp", "x" * 50_000]).encode(),
        "no column 'value'",
        unless={"features": ROWS, "head": ROWS, "requests": ROWS + 1},
    ),
    Situation("nothing", b"\n", "is empty"),
    Situation(
        "milliseconds",
        csv([[str(1709251200000 + 300_000 * row), "1"] for row in range(ROWS)]).encode(),
        "--timestamp-format epoch_milliseconds",
        unless={
            "table": 0,
            "analysis": ROWS,
            "features": ROWS,
            "head": ROWS,
            "requests": ROWS,
            "job": 0,
            "training": "--timestamp-format epoch_milliseconds",
        },
    ),
    Situation(
        "days first",
        csv([[f"13/03/2024 00:{row:02}", "1"] for row in range(ROWS)]).encode(),
        "--timestamp-format '%d/%m/%Y %H:%M'",
        unless={
            "table": 0,
            "analysis": ROWS,
            "features": "write ISO 8601",
            "head": ROWS,
            "requests": ROWS,
            "job": 0,
        },
    ),
    Situation(
        "three series in one",
        csv([[time, value, name] for time, value in TABLE for name in "abc"], [*HEADER, "machine"]).encode(),
        3 * ROWS,
        unless={
            "analysis": "the configuration has 'timestamp', 'value'",
            "features": "column 'machine', row 0 (line 2 of the file): 'a'",
            "head": "column 'machine', row 0 (line 2 of the file): 'a'",
            "series": "3 series are in one: at the same times, column 'machine'",
        },
    ),
    Situation(
        "spaces around names and cells",
        csv([[t, f" {v} "] for t, v in TABLE], ["timestamp ", " value"]).encode(),
        ROWS,
    ),
    Situation("zstd under another name", zstandard.compress(PLAIN.encode()), ROWS),
    Situation("damaged zstd", zstandard.compress(PLAIN.encode())[:-5], "damaged zstd", unless={"head": ROWS}),
    Situation(
        "two members of gzip", gzip.compress(PLAIN[:99].encode()) + gzip.compress(PLAIN[99:].encode()), ROWS
    ),
    Situation(
        "packed twice", gzip.compress(gzip.compress(PLAIN.encode())), "packed twice", unless={"head": ROWS}
    ),
    Situation("a packed archive", tar_archive(), "is a tar archive: unpack it", unless={"head": ROWS}),
    Situation("UTF-16, the other way round", b"\xfe\xff" + PLAIN.encode("utf-16-be"), ROWS),
    Situation("UTF-32", PLAIN.encode("utf-32"), "text in UTF-32: save it as CSV UTF-8"),
    Situation("offsets", csv([[f"{t}+0200", v] for t, v in TABLE]).encode(), ROWS),
    Situation("fractions of nine digits", csv([[f"{t}.123456789", v] for t, v in TABLE]).encode(), ROWS),
    Situation(
        "days without a time",
        csv([[f"2024-{1 + row // 28:02}-{row % 28 + 1:02}", v] for row, (_, v) in enumerate(TABLE)]).encode(),
        ROWS,
    ),
    Situation(
        "a day that does not exist",
        csv(changed(7, "2024-02-30 00:00:00", "1")).encode(),
        ROWS - 1,
        unless={
            "analysis": ROWS,
            "features": "column 'timestamp', row 7 (line 9 of the file): '2024-02-30 00:00:00' is not a time",
            "head": ROWS,
            "series": "line 9: timestamp '2024-02-30 00:00:00' is not of the format iso8601",
            "requests": ROWS,
        },
    ),
    Situation(
        "a clock of the year 9999",
        csv(changed(7, "9999-12-31 23:59:59", "1")).encode(),
        ROWS - 1,
        unless={
            "analysis": ROWS,
            "features": "column 'timestamp', row 7 (line 9 of the file): '9999-12-31 23:59:59' is not a time",
            "head": ROWS,
            "series": "outside the years 1678 to 9998",
            "requests": ROWS,
        },
    ),
    Situation(
        "a number without end",
        csv(changed(7, TABLE[7][0], "1e400")).encode(),
        ROWS - 1,
        unless={
            "analysis": ROWS,
            "features": "column 'value', row 7 (line 9 of the file)",
            "head": ROWS,
            "series": "line 9: value: '1e400' is not finite",
            "requests": ROWS,
        },
    ),
    of_values(
        "words for true",
        csv([[t, "true"] for t, _ in TABLE]).encode(),
        "'true' is not a number; write digits",
        head="'true' is not a finite number",
        shown=ROWS,
    ),
    of_values(
        "signs between thousands",
        csv([[t, '"1,234.5"'] for t, _ in TABLE]).encode(),
        "'1,234.5' is not a number; write it without signs between thousands",
        head="'1,234.5' is not a finite number",
    ),
    Situation(
        "a delimiter at the end of each row",
        csv([[*cells, ""] for cells in TABLE]).encode(),
        "line 2: 3 cells, the header has 2 columns: remove the ',' at the end of the line",
        unless={"table": 0, "job": 0},
    ),
    Situation(
        "a title before the header",
        f"Report of March\n\n{PLAIN}".encode(),
        "its columns are 'Report of March'; is it the header? Remove what stands before it",
        unless={
            "analysis": "line 1: 1 cells, the header has 2 columns",
            "features": "line 3: 2 cells, the header has 1 columns",
            "head": "line 3: 2 cells, the header has 1 columns",
            "requests": ROWS + 2,
        },
    ),
    Situation(
        "names in other letters",
        csv(TABLE, ["Timestamp", "Value"]).encode(),
        "did you mean '",
        unless={"analysis": ROWS + 1, "features": ROWS, "head": ROWS, "requests": ROWS + 1},
    ),
    Situation(
        "a file behind another",
        (PLAIN + PLAIN).encode(),
        2 * ROWS,
        unless={
            "analysis": 2 * ROWS + 1,
            "features": "column 'value', row 40 (line 42 of the file): 'value'",
            "head": "column 'value', row 40 (line 42 of the file): 'value'",
            "job": ROWS,
            "series": "line 42: timestamp 'timestamp'",
            "requests": 2 * ROWS + 1,
        },
    ),
    Situation(
        "a header alone",
        b"timestamp,value\n",
        "not one re",
        unless={
            "analysis": "has no rows",
            "features": "has no rows",
            "head": ROWS,
            "job": 0,
            "series": "no row below the header",
            "table": 0,
            "requests": "no rows",
        },
    ),
    Situation(
        "numbers as text in JSON",
        "".join(json.dumps({"timestamp": t, "value": v}) + "\n" for t, v in TABLE).encode(),
        ROWS,
    ),
    Situation(
        "one JSON document over several lines",
        json.dumps({"data": RECORDS}, indent=1).encode(),
        "one JSON document over several lines: write one object a line",
        unless={"head": ROWS},
    ),
    Situation(
        "a JSON array that is cut off",
        json.dumps(RECORDS).encode()[:-30],
        "the array is cut off",
        unless={"head": ROWS},
    ),
    Situation(
        "JSON lines with commas between them",
        LINES.replace("}\n", "},\n").encode(),
        "line 1: not a JSON object: character 51, ',', is out of place",
        unless={"table": 0, "job": 0, "head": ROWS},
    ),
    of_values(
        "a whole number of 400 digits in JSON",
        "".join(json.dumps({"timestamp": t, "value": 10**400}) + "\n" for t in TIMES).encode(),
        "...",
    ),
    Situation("Parquet, instants", parquet(INSTANTS), ROWS),
    Situation(
        "Parquet, instants of a zone",
        parquet(pyarrow.array(INSTANTS, pyarrow.timestamp("ns", "Europe/Berlin"))),
        ROWS,
    ),
    Situation("Parquet, decimals", parquet(values=[Decimal(v) for _, v in TABLE]), ROWS),
    Situation(
        "Parquet, a dictionary of text",
        parquet(values=pyarrow.array([v for _, v in TABLE]).dictionary_encode()),
        ROWS,
    ),
    Situation(
        "Parquet, times as pandas' index",
        arrow(
            pyarrow.Table.from_pandas(
                pandas.DataFrame({"value": VALUES}, index=pandas.DatetimeIndex(INSTANTS, name="timestamp"))
            )
        ),
        ROWS,
    ),
    Situation(
        "Parquet, a column twice",
        arrow(
            pyarrow.Table.from_arrays(list(map(pyarrow.array, (TIMES, VALUES, VALUES))), [*HEADER, "value"])
        ),
        "2 columns are named 'value': rename all but one",
        unless={"head": ROWS},
    ),
    of_values(
        "Parquet, truth values",
        parquet(values=[bool(v) for v in VALUES]),
        " is not a number; write digits",
        shown=ROWS,
    ),
    of_values(
        "Parquet, bytes", parquet(values=[v.encode() for _, v in TABLE]), "is not a number; write digits"
    ),
    Situation("damaged Parquet", parquet()[:-20], "damaged Parquet: write it again", unless={"head": ROWS}),
)
