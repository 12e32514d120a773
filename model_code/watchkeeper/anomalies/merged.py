"""Scored intervals as Parquet: what many scores objects hold, once each, sorted by series and time.

A series lies together in such a file, and the file says of each of its groups of rows which series are in
it: one series is read without the others. The package pyarrow reads and writes it, asked for only then.
"""

from __future__ import annotations

import base64
import bisect
import gzip
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import counts_in, events_in, of_scores, once, summed
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.extras import extra
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant

GROUP_ROWS = 65_536
"""Rows of a group: so many are read for one series, and held when files are merged."""
DATABASE = "watchkeeper"
"""Of Athena's tables."""
DAYS, HOURS = "scores_by_day", "scores_by_hour"
"""Its tables."""
COLUMNS = {
    "series": "string",
    "interval_start": "timestamp",
    "value": "double",
    "expected": "double",
    "lower": "double",
    "upper": "double",
    "anomaly_score": "double",
    "threshold": "double",
    "severity": "double",
    "is_anomaly": "boolean",
    "confidence": "double",
    "reason": "string",
    "run_id": "string",
    "next_threshold": "double",
    "anomaly": "string",
    "rule": "string",
    "severity_threshold": "double",
}
"""Names and types of the columns, as Athena calls them; `anomaly` is the JSON of the event."""

_QUALITY = b"watchkeeper.quality"
"""Key in a file's metadata: gzipped lines in base64."""


def table_of(bodies: Iterable[bytes]) -> Any:
    """Return the lines of unpacked scores objects as an Arrow table, sorted, an interval once.

    Raises
    ------
    ContractViolationError
        If a line is no score line.
    """
    pa = _arrow()
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for body in bodies:
        for line in of_scores(body.splitlines()):
            try:
                document = json.loads(line)
                document["interval_start"] = 1000 * epoch_seconds(parse_instant(document["interval_start"]))
                event = document.get("anomaly")
                document["anomaly"] = None if event is None else json.dumps(event, separators=(",", ":"))
                document["series"]
            except (ValueError, TypeError, KeyError) as error:
                raise ContractViolationError(f"not a score line: {line[:200]!r}") from error
            for name, values in columns.items():
                values.append(document.get(name))
    return merged([pa.table(columns, schema=schema())])


def merged(tables: Sequence[Any]) -> Any:
    """Return the rows of tables in the order of series and time; an interval of several is there once."""
    pa = _arrow()
    from pyarrow import compute

    table = _whole(*tables).sort_by([("series", "ascending"), ("interval_start", "ascending")])
    if table.num_rows < 2:
        return table
    table = table.combine_chunks()
    again = [
        compute.equal(table[name][1:], table[name][:-1]).combine_chunks()
        for name in ("series", "interval_start")
    ]
    first = pa.concat_arrays([pa.array([True]), compute.invert(compute.and_(*again))])
    return table.filter(first)


def written(table: Any, quality: Iterable[bytes] = ()) -> bytes:
    """Return a table as a Parquet file.

    Parameters
    ----------
    quality
        Lines of `watchkeeper.anomalies.quality`: the file says at its end how the telemetry of its intervals
        came.
    """
    sink = io.BytesIO()
    with _writer(sink) as writer:
        if table.num_rows:  # a group without rows would say nothing of its series
            writer.write_table(table, row_group_size=GROUP_ROWS)
        _say(writer, quality)
    return sink.getvalue()


def quality_of_file(file: IO[bytes]) -> list[bytes]:
    """Return the lines that `written` was given, added up; none of a file of before."""
    from pyarrow import parquet

    said = (parquet.ParquetFile(file).metadata.metadata or {}).get(_QUALITY)
    return [] if said is None else gzip.decompress(base64.b64decode(said)).splitlines()


def merged_files(files: Sequence[IO[bytes]]) -> bytes:
    """Merge Parquet files of this form into one, holding only the rows of some series at a time."""
    from pyarrow import parquet

    sources = [parquet.ParquetFile(file) for file in files]
    sink = io.BytesIO()
    with _writer(sink) as writer:
        for first, last in _spans(sources):
            found = (_rows_of(source, first, last) for source in sources)
            tables = [table for table in found if table is not None and table.num_rows]
            if tables:
                writer.write_table(merged(tables), row_group_size=GROUP_ROWS)
        _say(writer, (line for file in files for line in quality_of_file(file)))
    return sink.getvalue()


def lines_of(file: IO[bytes], workload: str, series: str, since: str, until: str) -> list[ScoreLine]:
    """Return the intervals of a series that begin from `since` until before `until` (ISO 8601, UTC)."""
    tables = tables_of(file, series, since, until)
    return [_line(workload, row) for table in tables for row in table.to_pylist()]


def tables_of(file: IO[bytes], series: str | None, since: str, until: str) -> Iterator[Any]:
    """Yield the same as Arrow tables, a group of rows at a time; without a series, of all."""
    from pyarrow import parquet

    source = parquet.ParquetFile(file, pre_buffer=True)
    groups = range(source.num_row_groups) if series is None else _groups(source, series, series)
    for group in groups:
        yield chosen(_whole(source.read_row_group(group)), series, since, until)


def chosen(table: Any, series: str | None, since: str, until: str) -> Any:
    """Return the rows of a table that are of a series, or of any, and of a span; see `lines_of`."""
    from pyarrow import compute

    start = compute.cast(table["interval_start"], "int64")
    wanted = compute.and_(
        compute.greater_equal(start, 1000 * epoch_seconds(parse_instant(since))),
        compute.less(start, 1000 * epoch_seconds(parse_instant(until))),
    )
    if series is not None:
        wanted = compute.and_(compute.equal(table["series"], series), wanted)
    return table.filter(wanted)


def span_of(table: Any) -> tuple[str, str] | None:
    """Return the first and the last beginning of an interval in a table (ISO 8601, UTC)."""
    from pyarrow import compute

    if not table.num_rows:
        return None
    ends = compute.min_max(table["interval_start"]).as_py()
    return format_instant(ends["min"]), format_instant(ends["max"])


def span_of_file(file: IO[bytes]) -> tuple[str, str] | None:
    """Return the same of a file, from what it says of itself."""
    from pyarrow import parquet

    metadata = parquet.ParquetFile(file).metadata
    column = list(COLUMNS).index("interval_start")
    found = [metadata.row_group(index).column(column).statistics for index in range(metadata.num_row_groups)]
    if not found:
        return None
    return format_instant(min(each.min for each in found)), format_instant(max(each.max for each in found))


def _say(writer: Any, quality: Iterable[bytes]) -> None:
    lines = list(quality)
    if not lines:
        return
    said = [one.to_line() for one in summed(counts_in(lines))]
    said += [event.to_line() for event in once(events_in(lines))]
    packed = base64.b64encode(gzip.compress("\n".join(said).encode(), mtime=0))
    writer.add_key_value_metadata({_QUALITY: packed})


def _line(workload: str, row: dict[str, Any]) -> ScoreLine:
    event = row["anomaly"]
    return ScoreLine(
        workload=workload,
        **{
            **row,
            "interval_start": format_instant(row["interval_start"]),
            "is_anomaly": bool(row["is_anomaly"]),
            "anomaly": None if event is None else AnomalyEvent.from_json(event),
        },
    )


def _spans(sources: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Cut all series into spans, from one name until before another: one a group of the largest file."""
    ends = [_ends(source) for source in sources]
    cuts = sorted({first for first, _ in max(ends, key=len, default=[])})
    last = max((last for each in ends for _, last in each), default="")
    yield from itertools.pairwise(["", *cuts[1:], last + "\x00"])


def _rows_of(source: Any, first: str, last: str) -> Any:
    """Return the rows of series from `first` until before `last`, or None."""
    groups = _groups(source, first, last)
    if not groups:
        return None
    table = source.read_row_groups(groups)
    names = table["series"].to_pylist()
    begin, end = bisect.bisect_left(names, first), bisect.bisect_left(names, last)
    return table.slice(begin, end - begin)


def _groups(source: Any, first: str, last: str) -> list[int]:
    """Return the groups of rows in which there may be series from `first` to `last`."""
    return [index for index, (least, most) in enumerate(_ends(source)) if least <= last and most >= first]


def _ends(source: Any) -> list[tuple[str, str]]:
    """Return the first and the last series of each group of rows."""
    metadata = source.metadata
    found = []
    for index in range(metadata.num_row_groups):
        statistics = metadata.row_group(index).column(0).statistics
        found.append((statistics.min, statistics.max))
    return found


def _writer(sink: IO[bytes]) -> Any:
    from pyarrow import parquet

    return parquet.ParquetWriter(
        sink,
        schema(),
        compression="zstd",
        use_dictionary=["series", "reason", "run_id"],
        write_statistics=["series", "interval_start"],
    )


def schema() -> Any:
    """Return the Arrow schema of the columns."""
    pa = _arrow()
    types = {"string": pa.string(), "double": pa.float64(), "boolean": pa.bool_()}
    types["timestamp"] = pa.timestamp("ms", tz="UTC")
    return pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])


def _whole(*tables: Any) -> Any:
    """Return tables as one that has all columns in their order: an earlier release's lack some."""
    return _arrow().concat_tables([schema().empty_table(), *tables], promote_options="default")


def _arrow() -> Any:
    with extra("pyarrow", "reading scores that are merged"):
        import pyarrow as pa
    return pa
