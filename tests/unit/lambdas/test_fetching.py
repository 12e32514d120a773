"""Files of a bucket become objects of telemetry: what is read, what is refused, and a second delivery."""

from __future__ import annotations

import gzip
import io
import json
from datetime import datetime, timezone

import pytest

from lambdas.adapters.object_store import ObjectUri
from lambdas.runtime.created_object import CreatedObject, created_object
from lambdas.sources import fetching
from lambdas.sources.fetching import Fetched, fetch
from tests.unit.lambdas.builders import BUCKET, WORKLOAD, make_plan
from tests.unit.lambdas.fakes import FakeObjectStore
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.stream.object_lines import sort_lines

SOURCE = "plant"
AT = datetime(2024, 1, 2, 3, 4, tzinfo=timezone.utc)
ROWS = [("2024-01-02T03:00:00Z", "a", 1.5), ("2024-01-02T03:00:00Z", "b", 2.5)]
CSV = "time,device,pressure,note\n" + "".join(f"{time},{device},{value},x\n" for time, device, value in ROWS)
JSON_LINES = "".join(
    json.dumps({"time": time, "device": device, "pressure": value}) + "\n" for time, device, value in ROWS
)


def parquet() -> bytes:
    arrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    file = io.BytesIO()
    columns = dict(zip(("time", "device", "pressure"), map(list, zip(*ROWS, strict=True)), strict=True))
    pyarrow.parquet.write_table(arrow.table(columns), file)
    return file.getvalue()


def fetched(
    body: bytes | None, plan: WorkloadPlan | None = None, store: FakeObjectStore | None = None, **found: int
) -> tuple[Fetched, FakeObjectStore]:
    store = store or FakeObjectStore()
    if body is not None:
        store.objects[ObjectUri(SOURCE, "g/a")] = body
    source = CreatedObject(SOURCE, "g/a", "e1", None, found.get("n_bytes", 10), AT)
    return fetch(source, AT, plan or make_plan(), store, BUCKET), store


def refusals(store: FakeObjectStore) -> list[dict[str, object]]:
    [content] = store.under("quarantine/").values()
    return [json.loads(line) for line in content.decode().splitlines()]


@pytest.mark.parametrize("form", ["csv", "gzip", "json lines", "json array", "parquet"])
def test_a_file_of_any_form_is_lines_that_the_loop_takes(form: str) -> None:
    bodies = {
        "csv": CSV.encode(),
        "gzip": gzip.compress(CSV.encode()),
        "json lines": JSON_LINES.encode(),
        "json array": f"[{','.join(JSON_LINES.splitlines())}]".encode(),
    }
    told, store = fetched(bodies[form] if form in bodies else parquet())

    assert told == Fetched(lines=2, refused=0, objects=1)
    [(key, body)] = store.under("raw/").items()
    assert key.startswith(f"raw/workload={WORKLOAD}/year=2024/month=01/day=02/hour=03/fetched-")
    lines = sort_lines(body, make_plan())
    assert [line.record.measures["pressure"] for line in lines.accepted] == [1.5, 2.5]
    assert lines.received_at_milliseconds == int(AT.timestamp() * 1000)


def test_a_second_delivery_writes_the_same_objects() -> None:
    told, store = fetched(CSV.encode())
    before = dict(store.objects)

    again, _ = fetched(None, store=store)

    assert (again, store.objects) == (told, before)


def test_a_large_file_is_several_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LINES_AN_OBJECT", 2)
    body = CSV + "".join(f"2024-01-02T03:0{minute}:00Z,a,1,x\n" for minute in range(1, 4))

    told, store = fetched(body.encode())

    assert told == Fetched(lines=5, refused=0, objects=3)
    assert sum(len(sort_lines(each, make_plan()).accepted) for each in store.under("raw/").values()) == 5


def test_a_row_that_is_refused_is_kept_with_its_line_and_the_others_are_taken() -> None:
    told, store = fetched((CSV + "yesterday,a,1,x\n").encode())

    assert told == Fetched(lines=2, refused=1, objects=1)
    [refused] = refusals(store)
    assert (refused["source"], refused["line"], refused["reason"]) == ("s3://plant/g/a", 4, "bad_timestamp")


@pytest.mark.parametrize(
    ("body", "n_bytes", "reason"),
    [
        (b"%PDF-1.7", 8, "unreadable_file"),
        (b"when,device,pressure\n1,a,2\n", 8, "missing_column"),
        (b"", 0, "empty_file"),
        (b"x", 300_000_000, "too_large"),
        (None, 8, "object_missing"),
    ],
)
def test_a_file_that_cannot_be_read_is_kept_as_a_refusal(
    body: bytes | None, n_bytes: int, reason: str
) -> None:
    told, store = fetched(body, n_bytes=n_bytes)

    assert told == Fetched(lines=0, refused=1, objects=0)
    [refused] = refusals(store)
    assert (refused["line"], refused["reason"]) == (0, reason)


def test_an_event_says_when_the_file_was_written() -> None:
    event = {
        "time": "2024-01-02T03:04:00Z",
        "detail": {"bucket": {"name": SOURCE}, "object": {"key": "g/a b", "etag": "e1", "size": 10}},
    }
    assert created_object(json.dumps(event)) == CreatedObject(SOURCE, "g/a b", "e1", None, 10, AT)
    with pytest.raises(InvalidInputError, match="not an 'Object Created' event"):
        created_object("{}")
