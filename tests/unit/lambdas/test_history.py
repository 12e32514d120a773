"""Scores read back: every interval once, whatever was merged when, and in whatever order things came."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from lambdas.history.effects import S3MergedObjects
from lambdas.history.merging import Report, Stored, merge_all, settle
from lambdas.history.reading import POINT_COLUMNS, Wanted, read_columns, read_log, read_series, read_tables
from watchkeeper.anomalies import merged
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import IntervalCounts, QualityEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.timestamps import format_instant
from watchkeeper.stream.placement import bits_of
from watchkeeper.stream.step import packed

MIDNIGHT = datetime(2026, 11, 28, tzinfo=timezone.utc)
DATE = "2026-11-28"
NEXT_DAY = MIDNIGHT + timedelta(days=1, hours=1)
NAMES = tuple(f"flow|pump={number}" for number in range(6))


@dataclass
class Bucket:
    """The data bucket in memory."""

    content: dict[str, tuple[bytes, Mapping[str, str]]] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    def put(self, hour: int, number: int, lines: list[ScoreLine], shelf: str = "") -> str:
        """Write a scores object as the scoring loop does."""
        key = layout.scores_key("press", f"{DATE}T{hour:02d}", f"object-{number}", shelf)
        body = "".join(f"{line.to_json()}\n" for line in lines).encode()
        self.content[key] = (gzip.compress(body, mtime=0), {})
        return key

    def workloads(self) -> list[str]:
        return ["press"]

    def listed(self, prefix: str) -> list[Stored]:
        return [
            Stored(key, hashlib.md5(body, usedforsecurity=False).hexdigest())
            for key, (body, _) in sorted(self.content.items())
            if key.startswith(prefix)
        ]

    def folders(self, prefix: str) -> list[str]:
        names = {key[len(prefix) :].partition("/")[0] for key in self.content if key.startswith(prefix)}
        return [f"{prefix}{name}/" for name in sorted(names)]

    def metadata(self, key: str) -> Mapping[str, str] | None:
        return self.content[key][1] if key in self.content else None

    def read(self, key: str) -> bytes:
        return self.content[key][0]

    def opened(self, key: str) -> IO[bytes]:
        return io.BytesIO(self.read(key))

    def write(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        self.content[key] = (body, metadata)
        self.written.append(key)


def line(series: str, minute: int, value: float = 1.0, *, anomaly: bool = False) -> ScoreLine:
    start = format_instant(MIDNIGHT + timedelta(minutes=minute))
    event = AnomalyEvent(
        "press", series, start, 300, value, 1.0, 0.5, 1.5, 0.9, 0.3, 88.0, "run-1", "arn:run", "arn:package"
    )
    return ScoreLine(
        *("press", series, start, value, 1.0, 0.5, 1.5, 0.1),
        threshold=0.3,
        severity=12.0,
        is_anomaly=anomaly,
        run_id="run-1",
        anomaly=event if anomaly else None,
    )


def everything(bucket: Bucket) -> dict[str, list[ScoreLine]]:
    until = MIDNIGHT + timedelta(days=3)
    return {name: read_series(bucket, Wanted("press", name, MIDNIGHT, until)) for name in NAMES}


def test_an_hour_that_is_over_becomes_one_file_sorted_by_series_and_time() -> None:
    bucket, report = Bucket(), Report()
    bucket.put(9, 1, [line(NAMES[1], 5), line(NAMES[0], 5)])
    bucket.put(9, 2, [line(NAMES[0], 0), line(NAMES[1], 0)])
    settle(bucket, "press", DATE, MIDNIGHT + timedelta(hours=10, minutes=14), report)
    assert bucket.written == []

    settle(bucket, "press", DATE, MIDNIGHT + timedelta(hours=10, minutes=20), report)

    from pyarrow import parquet

    (key,) = bucket.written
    rows = parquet.read_table(io.BytesIO(bucket.read(key)), columns=["series", "value"]).to_pylist()
    assert key == "scores-by-hour/workload=press/date=2026-11-28/hour=09.parquet"
    assert [row["series"] for row in rows] == [NAMES[0], NAMES[0], NAMES[1], NAMES[1]]
    assert (report.hours, report.days, report.rows) == ([f"press {DATE}T09"], [], 4)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 23), st.lists(st.sampled_from(NAMES), max_size=4, unique=True)), max_size=12
    ),
    st.data(),
)
def test_no_interval_is_lost_or_doubled_whenever_runs_come_and_whenever_they_die(
    objects: list[tuple[int, list[str]]], data: st.DataObject
) -> None:
    """Objects come in any order, also of hours and days that are merged already; a run may die anywhere."""

    class Dying(Bucket):
        left = 1000

        def write(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
            self.left -= 1
            if self.left < 0:
                raise ConnectionError("killed")
            super().write(key, body, metadata)

    bucket = Dying()
    expected: dict[str, set[str]] = {name: set() for name in NAMES}
    for number, (hour, names) in enumerate(objects):
        lines = [line(name, 60 * hour + number) for name in sorted(names)]
        bucket.put(hour, number, lines)
        for each in lines:
            expected[each.series].add(each.interval_start)
        if data.draw(st.booleans()):
            bucket.left = data.draw(st.integers(0, 5))
            now = MIDNIGHT + timedelta(hours=data.draw(st.integers(1, 40)))
            with contextlib.suppress(ConnectionError):
                settle(bucket, "press", DATE, now, Report())
    bucket.left = 1000
    settle(bucket, "press", DATE, NEXT_DAY, Report())

    found = everything(bucket)

    assert {name: [each.interval_start for each in lines] for name, lines in found.items()} == {
        name: sorted(starts) for name, starts in expected.items()
    }
    bucket.written.clear()
    settle(bucket, "press", DATE, NEXT_DAY, Report())
    assert bucket.written == [], "a run without news writes nothing"


def test_what_is_read_is_what_was_written_merged_or_not() -> None:
    bucket = Bucket()
    lines = [line(NAMES[0], minute, minute / 7, anomaly=minute == 10) for minute in range(0, 60, 5)]
    bucket.put(0, 1, [*lines, line(NAMES[1], 0)])
    assert everything(bucket)[NAMES[0]] == lines
    settle(bucket, "press", DATE, MIDNIGHT + timedelta(hours=3), Report())
    assert everything(bucket)[NAMES[0]] == lines
    settle(bucket, "press", DATE, NEXT_DAY, Report())
    assert layout.merged_day_key("press", DATE) in bucket.content
    for key in [key for key in bucket.content if not key.startswith(layout.SCORES_BY_DAY)]:
        del bucket.content[key]
    assert everything(bucket)[NAMES[0]] == lines
    later = Wanted("press", NAMES[0], MIDNIGHT + timedelta(minutes=10), MIDNIGHT + timedelta(minutes=20))
    assert read_series(bucket, later) == lines[2:4]


def test_a_late_object_of_a_merged_day_is_taken_in_by_the_run_after_it() -> None:
    bucket = Bucket()
    bucket.put(9, 1, [line(NAMES[0], 5)])
    settle(bucket, "press", DATE, NEXT_DAY, Report())
    bucket.put(9, 2, [line(NAMES[0], 10)])

    merge_all(bucket, MIDNIGHT + timedelta(days=10), lambda: True)

    assert [each.interval_start[11:16] for each in everything(bucket)[NAMES[0]]] == ["00:05", "00:10"]


def test_a_series_is_looked_for_on_its_own_shelf_and_in_days_that_reach_its_time() -> None:
    @dataclass
    class Counting(Bucket):
        reads: list[str] = field(default_factory=list)

        def read(self, key: str) -> bytes:
            self.reads.append(key)
            return super().read(key)

    bucket = Counting()
    shelf = bits_of(NAMES[0])[0]
    mine = bucket.put(23, 1, [line(NAMES[0], 1400)], shelf)
    bucket.put(23, 1, [line(NAMES[1], 1400)], "1" if shelf == "0" else "0")
    read_series(bucket, Wanted("press", NAMES[0], MIDNIGHT, NEXT_DAY))
    assert bucket.reads == [mine]
    settle(bucket, "press", DATE, NEXT_DAY, Report())
    bucket.reads.clear()
    read_series(bucket, Wanted("press", NAMES[0], MIDNIGHT, MIDNIGHT + timedelta(hours=1)))
    assert bucket.reads == [], "the day's file says that nothing in it is so early"


def test_what_there_is_no_time_for_is_left_to_the_next_run() -> None:
    bucket = Bucket()
    bucket.put(9, 1, [line(NAMES[0], 5)])
    assert merge_all(bucket, NEXT_DAY, lambda: False) == Report()
    assert merge_all(bucket, NEXT_DAY, lambda: True).days == [f"press {DATE}"]


def test_files_are_merged_group_by_group_as_whole_tables_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged, "GROUP_ROWS", 7)
    bodies = [
        [line(name, 60 * hour + minute, hour) for name in NAMES[hour % 3 :] for minute in range(0, 60, 5)]
        for hour in range(5)
    ]
    texts = ["".join(f"{each.to_json()}\n" for each in body).encode() for body in bodies]
    files = [io.BytesIO(merged.written(merged.table_of([text]))) for text in texts]

    from pyarrow import parquet

    together = parquet.read_table(io.BytesIO(merged.merged_files(files)))
    assert together.equals(merged.table_of(texts))
    assert together.num_rows == sum(map(len, bodies))


def test_a_line_that_is_no_score_is_refused_with_its_text() -> None:
    with pytest.raises(ContractViolationError, match="not a score line: b'nonsense'"):
        merged.table_of([b"nonsense"])


def test_only_what_is_read_of_an_object_is_fetched() -> None:
    body = bytes(range(256)) * 1000
    asked = []

    class Client:
        def get_object(self, **request: str) -> dict[str, object]:
            asked.append(request["Range"])
            first, _, last = request["Range"].removeprefix("bytes=").partition("-")
            found = body[int(first) : int(last) + 1] if first else body[-int(last) :]
            assert request.get("IfMatch", "e") == "e"
            return {"Body": io.BytesIO(found), "ContentRange": f"bytes 1-2/{len(body)}", "ETag": "e"}

    file = S3MergedObjects(Client(), "bucket").opened("key")  # type: ignore[arg-type]  # a client with one call
    file.seek(-8, io.SEEK_END)
    assert file.read() == body[-8:]
    assert asked == ["bytes=-65536"]
    file.seek(1000)
    assert file.read(10) == body[1000:1010]
    file.seek(0)
    assert file.read() == body
    assert all(each.startswith("bytes=") for each in asked)


@given(
    st.lists(st.tuples(st.integers(0, 22), st.integers(0, 5), st.integers(0, 11)), unique=True, max_size=40)
)
@settings(max_examples=25)
def test_all_scores_are_read_once_whatever_is_merged(found: list[tuple[int, int, int]]) -> None:
    bucket = Bucket()
    for number, (hour, pump, at) in enumerate(found):
        bucket.put(hour, number, [line(NAMES[pump], 60 * hour + 5 * at)], shelf=bits_of(NAMES[pump])[:1])
    settle(bucket, "press", DATE, MIDNIGHT + timedelta(hours=12, minutes=20), Report())
    since, until = MIDNIGHT + timedelta(hours=3), MIDNIGHT + timedelta(hours=20)

    tables = list(read_tables(bucket, Wanted("press", None, since, until)))

    read = [(row["series"], row["interval_start"]) for table in tables for row in table.to_pylist()]
    starts = [(NAMES[pump], MIDNIGHT + timedelta(hours=hour, minutes=5 * at)) for hour, pump, at in found]
    assert sorted(read) == sorted(each for each in starts if since <= each[1] < until)
    assert all(table.schema == merged.schema() for table in tables)


def test_a_file_of_a_release_with_fewer_columns_has_them_all_when_it_is_read() -> None:
    body = "".join(f"{line(NAMES[0], 5 * at).to_json()}\n" for at in range(3)).encode()
    table = merged.table_of([body])
    earlier = io.BytesIO()
    parquet.write_table(table.drop_columns(["rule"]), earlier)

    (read,) = merged.tables_of(earlier, None, format_instant(MIDNIGHT), format_instant(NEXT_DAY))

    assert read.schema == merged.schema()
    assert read.num_rows == 3
    assert merged.merged([table.drop_columns(["rule"]), table]).schema == merged.schema()


def test_columns_are_the_same_before_and_after_merging_and_break_at_gaps() -> None:
    bucket, series = Bucket(), NAMES[0]
    bucket.put(1, 1, [line(name, minute, minute / 4) for name in NAMES for minute in (0, 5, 10)])
    bucket.put(2, 2, [line(name, minute, minute / 4) for name in NAMES for minute in (10, 40, 45)])
    wanted = Wanted("press", series, MIDNIGHT, MIDNIGHT + timedelta(hours=1))
    columns = read_columns(bucket, wanted, 300)
    begin = int(MIDNIGHT.timestamp())
    assert [(start - begin) // 60 for start in columns["start"]] == [0, 5, 10, 15, 40, 45]
    assert columns["value"] == [0.0, 1.25, 2.5, None, 10.0, 11.25]
    assert {len(column) for column in columns.values()} == {6}
    assert tuple(columns) == POINT_COLUMNS
    merge_all(bucket, NEXT_DAY, lambda: True)
    assert read_columns(bucket, wanted, 300) == columns
    later = Wanted("press", series, MIDNIGHT + timedelta(minutes=15), wanted.until)
    assert read_columns(bucket, later, 300, goes_on=True)["value"] == [None, 10.0, 11.25]
    assert read_columns(bucket, later, 300)["value"] == [10.0, 11.25]


def test_counts_that_name_a_measure_are_no_points_of_the_series_that_is_called_so() -> None:
    bucket, start = Bucket(), format_instant(MIDNIGHT)
    key = bucket.put(1, 1, [])
    counts = IntervalCounts(start, 1, 7, 1, values={"flow": 7})
    bucket.content[key] = (packed([line("flow", 5)], [counts], []), {})
    wanted = Wanted("press", "flow", MIDNIGHT, MIDNIGHT + timedelta(hours=1))
    assert read_columns(bucket, wanted, 300)["value"] == [1.0]
    assert [each.value for each in read_series(bucket, wanted)] == [1.0]


def test_the_log_is_the_same_before_and_after_merging_and_counts_each_part_once() -> None:
    bucket = Bucket()
    event = QualityEvent(
        *("press", "late", None, True, format_instant(MIDNIGHT), 300, format_instant(MIDNIGHT)),
        *(0.5, 40, 0.02, 90.0),
    )
    for hour, shelf in ((0, "0"), (0, "1"), (1, "0")):
        key = bucket.put(hour, hour, [], shelf)
        counts = [
            IntervalCounts(format_instant(MIDNIGHT + timedelta(minutes=5 * at)), 1, 7, 1) for at in (0, 1)
        ]
        bucket.content[key] = (packed([line(NAMES[0], 5)], counts, [event]), {})
    wanted = Wanted("press", None, MIDNIGHT, NEXT_DAY)
    before = read_log(bucket, wanted)
    assert [(one.objects, one.accepted, one.late) for one in before.intervals] == [(3, 21, 3)] * 2
    assert before.events == [event]
    settle(bucket, "press", DATE, MIDNIGHT + timedelta(hours=1, minutes=20), Report())
    assert read_log(bucket, wanted) == before
    settle(bucket, "press", DATE, NEXT_DAY, Report())
    for key in [key for key in bucket.content if not key.startswith(layout.SCORES_BY_DAY)]:
        del bucket.content[key]
    assert read_log(bucket, wanted) == before
    assert (
        len(read_log(bucket, Wanted("press", None, MIDNIGHT + timedelta(minutes=5), NEXT_DAY)).intervals) == 1
    )
