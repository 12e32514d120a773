"""Files as people have them, and what is right: how many rows are taken, or what the refusal says.

All have the columns `timestamp` and `value`, unless they are about that, and 40 rows of 5 minutes.
"""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass, field

import pyarrow
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


def parquet() -> bytes:
    content = io.BytesIO()
    columns = {name: [record[name] for record in RECORDS] for name in HEADER}
    write_table(pyarrow.table(columns), content)
    return content.getvalue()


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
)
