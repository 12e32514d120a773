"""Objects of telemetry: what they announce, what is accepted, and what is refused."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.scoring.telemetry_object import TelemetryObject, announced_object
from tests.unit.lambdas.builders import BUCKET, WORKLOAD, make_plan, packed_lines, raw_object, reading
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.stream.object_lines import Refusal, quarantine_document, sort_lines
from watchkeeper.stream.step import late

ARRIVAL = 1_704_067_300_000
KEY = f"raw/workload={WORKLOAD}/year=2024/month=01/day=02/hour=03/a+b%20.gz"


def message(**found: object) -> str:
    return json.dumps({"detail": {"bucket": {"name": BUCKET}, "object": {"key": KEY, "etag": "e1", **found}}})


def test_key_is_taken_as_it_is_written() -> None:
    assert announced_object(message()) == TelemetryObject(BUCKET, KEY, "e1")


def test_version_identifies_the_content_where_there_is_one() -> None:
    announced = announced_object(message(**{"version-id": "v7"}))
    assert (announced.version, announced.version_id, announced.object_id) == ("v7", "v7", f"{KEY}#v7")


@pytest.mark.parametrize("bad", ["", "[]", "{}", '{"detail": 1}', '{"detail": {"bucket": {"name": "b"}}}'])
def test_refuses_other_messages(bad: str) -> None:
    with pytest.raises(InvalidInputError, match="not an 'Object Created' event"):
        announced_object(bad)


def test_refuses_objects_of_other_places() -> None:
    with pytest.raises(InvalidInputError, match="'scores/x' is not of the form raw/workload=NAME/"):
        announced_object(message(key="scores/x"))


@pytest.mark.parametrize("compress", [gzip.compress, bytes])
def test_reads_lines_gzipped_or_not(compress: object) -> None:
    body = f"{reading(0, 1)}\n\n{reading(60, 2)}\r\n".encode()
    lines = sort_lines(compress(body), make_plan())  # type: ignore[operator]  # a parametrized function
    assert [(line.number, line.record.measures) for line in lines.accepted] == [
        (1, {"pressure": 1.0}),
        (3, {"pressure": 2.0}),
    ]
    assert lines.refused == ()


def test_reads_objects_of_several_gzip_members() -> None:
    body = packed_lines([reading(0, 1)]) + packed_lines([reading(60, 2)])
    assert len(sort_lines(body, make_plan()).accepted) == 2


def test_keeps_number_reason_and_text_of_a_refused_line() -> None:
    body = b"\n".join([reading(0, 1).encode(), b'{"time": \xff}', reading(60, "warm").encode()])
    refused = sort_lines(body, make_plan()).refused
    assert [(refusal.number, refusal.reason) for refusal in refused] == [(2, "not_json"), (3, "not_a_number")]
    assert refused[0].text == '{"time": \\xff}'
    assert refused[1].text == reading(60, "warm")


@pytest.mark.parametrize(
    "damaged",
    [packed_lines([reading(0, 1)])[:-9], b"\x1f\x8b" + b"x" * 30, packed_lines([reading(0, 1)]) + b"tail"],
)
def test_object_that_cannot_be_unpacked_is_refused_as_a_whole(damaged: bytes) -> None:
    lines = sort_lines(damaged, make_plan())
    assert lines.accepted == ()
    assert [(refusal.number, refusal.reason) for refusal in lines.refused] == [(0, "bad_gzip")]


def test_deleted_object_is_refused() -> None:
    (refusal,) = sort_lines(None, make_plan()).refused
    assert refusal.reason == "object_missing"


@given(st.lists(st.binary(max_size=40).filter(lambda line: not line.startswith(b"\x1f\x8b")), max_size=12))
def test_every_line_is_accepted_refused_or_blank(raw: list[bytes]) -> None:
    body = b"\n".join(raw)
    lines = sort_lines(body, make_plan())
    numbers = [line.number for line in lines.accepted] + [refusal.number for refusal in lines.refused]
    assert sorted(numbers) == [
        number for number, line in enumerate(body.splitlines(), start=1) if line.strip()
    ]


def test_quarantine_is_the_same_for_every_delivery() -> None:
    lines = sort_lines("\n".join(["{", reading(0, 1), reading(1, "x")]).encode(), make_plan())
    refused = [*lines.refused, *late([2], lines.readings(make_plan()))]
    forward = quarantine_document(raw_object("1").source, refused)
    backward = quarantine_document(raw_object("1").source, refused[::-1])
    assert forward == backward
    documents = [json.loads(line) for line in forward.splitlines()]
    assert [(document["line"], document["reason"]) for document in documents] == [
        (1, "not_json"),
        (2, "late"),
        (3, "not_a_number"),
    ]
    assert {document["source"] for document in documents} == {f"s3://{BUCKET}/{raw_object('1').key}"}


def test_a_row_of_a_model_is_quarantined_under_its_own_name() -> None:
    document = quarantine_document(
        raw_object("1").source, [Refusal(1, "refused_by_model", "no", "row", "s#t")]
    )
    assert json.loads(document)["source"] == "s#t"
    assert "version" not in json.loads(document)


def test_hour_of_delivery_is_that_of_the_key() -> None:
    assert announced_object(message()).source.hour == "2024-01-02T03"
    with pytest.raises(InvalidInputError, match="is not of the form raw/workload=NAME/year="):
        _ = announced_object(message(key=f"raw/workload={WORKLOAD}/x")).source


def test_arrival_is_that_of_the_last_accepted_line() -> None:
    body = "\n".join(
        [reading(0, 1, received_at=ARRIVAL - 1), reading(1, 2, received_at=ARRIVAL), "{"]
    ).encode()
    assert sort_lines(body, make_plan()).received_at_milliseconds == ARRIVAL
    assert sort_lines(reading(0, 1).encode(), make_plan()).received_at_milliseconds is None
    assert sort_lines(b"", make_plan()).received_at_milliseconds is None
