from __future__ import annotations

import dataclasses
import json
import re
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.telemetry.records import Record, RecordReader, by_series, parse_record

PLAN = WorkloadPlan(
    "air",
    TimestampPlan("at"),
    (MeasurePlan("co", "CO"), MeasurePlan("no2", "NO2")),
    60,
    dimensions=("hall",),
)
GOOD: dict[str, Any] = {"at": "2024-05-17T12:00:00Z", "hall": "a", "CO": 2.5, "NO2": 60}


def parse(plan: WorkloadPlan = PLAN, **changes: Any) -> Record:
    fields = {**GOOD, **changes}
    return parse_record(json.dumps({key: value for key, value in fields.items() if value is not ...}), plan)


def test_reads_time_dimensions_and_measures() -> None:
    record = parse()

    assert record.event_time == datetime(2024, 5, 17, 12, tzinfo=timezone.utc)
    assert record.dimensions == {"hall": "a"}
    assert record.measures == {"co": 2.5, "no2": 60.0}


def test_a_record_may_miss_some_measures() -> None:
    assert parse(CO=...).measures == {"co": None, "no2": 60.0}
    assert parse(CO=None).measures == {"co": None, "no2": 60.0}
    assert parse(CO="").measures == {"co": None, "no2": 60.0}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"at": ...}, "missing_timestamp"),
        ({"at": ""}, "missing_timestamp"),
        ({"at": "noon"}, "bad_timestamp"),
        ({"at": 17}, "bad_timestamp"),
        ({"received_at": 1_700_000_000_000}, "future_timestamp"),
        ({"hall": ...}, "missing_dimension"),
        ({"hall": "  "}, "missing_dimension"),
        ({"hall": {"x": 1}}, "bad_dimension"),
        ({"hall": 1.5}, "bad_dimension"),
        ({"hall": "x" * 2000}, "bad_dimension"),
        ({"hall": "\ud800"}, "bad_dimension"),
        ({"CO": "high"}, "not_a_number"),
        ({"CO": True}, "not_a_number"),
        ({"CO": [1]}, "not_a_number"),
        ({"CO": "1_000"}, "not_a_number"),
        ({"CO": float("nan")}, "not_finite"),
        ({"CO": "-Infinity"}, "not_finite"),
        ({"CO": 1e300}, "out_of_range"),
        ({"CO": 10**400}, "out_of_range"),
        ({"CO": ..., "NO2": ...}, "missing_measures"),
    ],
)
def test_says_why_a_record_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse(**changes)

    assert refused.value.reason == reason
    assert str(refused.value)


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe{}", b'{"a": ' + b"9" * 5000 + b"}", b"[" * 100_000],
)
def test_refuses_lines_that_are_no_object(line: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_record(line, PLAN)

    assert refused.value.reason == "not_json"


def test_takes_a_byte_order_mark() -> None:
    assert parse_record(b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), PLAN) == parse()
    assert parse_record("\ufeff" + json.dumps(GOOD), PLAN) == parse()


def test_identity_is_the_content_without_what_ingestion_adds() -> None:
    delivered = parse(workload="air", received_at=1_715_947_201_000)
    again = parse(received_at=1_715_947_999_000, workload="air")

    assert delivered.record_id == again.record_id == parse().record_id
    assert parse(CO=2.6).record_id != parse().record_id
    assert parse(sequence=1).record_id != parse(sequence=2).record_id


def test_identity_does_not_depend_on_how_a_number_is_written() -> None:
    assert parse(CO="2.50", NO2="60").record_id == parse(CO=2.5, NO2=60.0).record_id
    assert parse(serial="007").record_id != parse(serial="7").record_id
    assert parse(serial=2**60).record_id != parse(serial=2**60 + 1).record_id


def test_identity_is_the_record_id_where_the_plan_has_one() -> None:
    plan = dataclasses.replace(PLAN, record_id_field="id")

    assert parse(plan, id=7).record_id == parse(plan, id=7, CO=9).record_id
    assert parse(plan, id=7).record_id != parse(plan, id=8).record_id
    with pytest.raises(InvalidInputError) as refused:
        parse(plan)
    assert refused.value.reason == "missing_record_id"


def test_counting_needs_the_field_only_to_be_there() -> None:
    plan = dataclasses.replace(PLAN, measures=(MeasurePlan("visits", "visitor", "count"),))

    assert parse(plan, visitor="Ada").measures == {"visits": 1.0}
    with pytest.raises(InvalidInputError) as refused:
        parse(plan)
    assert refused.value.reason == "missing_measures"


def test_a_clock_may_be_a_day_ahead() -> None:
    assert parse(received_at=1_715_947_200_000 - 86_400_000).measures["co"] == 2.5


def test_groups_records_by_the_series_that_they_have_a_value_of() -> None:
    both, one = parse(), parse(hall="b", CO=None)

    groups = by_series([both, one], PLAN)

    assert groups == {"co|hall=a": [both], "no2|hall=a": [both], "no2|hall=b": [one]}


SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
JSON_VALUES = (
    SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)
)


REASONS = {
    "bad_dimension",
    "bad_timestamp",
    "future_timestamp",
    "missing_dimension",
    "missing_measures",
    "missing_timestamp",
    "not_a_number",
    "not_finite",
    "out_of_range",
}


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*GOOD, "received_at", "more"], JSON_VALUES)))
def test_any_object_is_either_a_record_or_refused_with_a_reason(fields: dict[str, Any]) -> None:
    line = json.dumps({**GOOD, **fields})
    record, reason = None, ""
    try:
        record = parse_record(line, PLAN)
    except InvalidInputError as error:
        reason = error.reason

    assert reason in REASONS if record is None else by_series([record], PLAN)


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([1.0, -0.0, 2.5, 1e16, 1e31, float("inf"), float("nan")]),
    st.sampled_from(["", " ", "1", "1.0", " a ", "a", "NA", "1e3", "-", "007", "\ud800", "x" * 1100]),
    st.lists(st.integers(0, 1), max_size=1),
)
TIMES = st.sampled_from(
    ["2024-05-17T12:00:00Z", "2024-05-17T12:00:00+00:00", "1969-01-01T00:00:00Z", 1, 1.0, True, "", None]
)
FIELDS = st.fixed_dictionaries(
    {"at": TIMES, "hall": CELLS, "CO": CELLS},
    optional={
        "NO2": CELLS,
        "received_at": st.sampled_from([0, 1_715_947_201_000, True, "x", 2.5]),
        "more": CELLS,
    },
)
READERS = [
    PLAN,
    dataclasses.replace(PLAN, timestamp=TimestampPlan("at", "epoch_seconds")),
    dataclasses.replace(PLAN, dimensions=("hall", "more")),
    dataclasses.replace(PLAN, record_id_field="more"),
    dataclasses.replace(PLAN, measures=(MeasurePlan("visits", "CO", "count"),)),
]


def outcome(reader: RecordReader, fields: dict[str, Any]) -> object:
    try:
        return reader.record_of(fields)
    except InvalidInputError as error:
        return error.reason, str(error)


def new_reader(plan: WorkloadPlan) -> RecordReader:
    return RecordReader(plan.timestamp, plan.dimensions, plan.measures, plan.record_id_field)


@pytest.mark.parametrize("plan", READERS, ids=range(len(READERS)))
@given(records=st.lists(FIELDS, max_size=8))
def test_what_is_remembered_of_records_before_changes_nothing(
    plan: WorkloadPlan, records: list[dict[str, Any]]
) -> None:
    remembering = new_reader(plan)

    for fields in [*records, *records]:
        assert outcome(remembering, fields) == outcome(new_reader(plan), fields)


@given(content=st.dictionaries(st.sampled_from(["a", "b", "workload", "received_at", "z"]), CELLS))
def test_identity_is_the_hash_of_what_the_fields_say(content: dict[str, Any]) -> None:
    fields = {**GOOD, **content}
    said = {
        name: json.loads(value)
        if isinstance(value, str) and re.fullmatch(r"\s*(1|1\.0|1e3)\s*", value)
        else value
        for name, value in fields.items()
        if name not in ("workload", "received_at") and value is not None and value != "" and value != " "
    }
    plain = {
        name: int(value)
        if isinstance(value, float) and value.is_integer()
        else value.strip()
        if isinstance(value, str)
        else value
        for name, value in said.items()
    }
    found = outcome(
        new_reader(PLAN), {name: value for name, value in fields.items() if name != "received_at"}
    )

    assert isinstance(found, Record)
    assert found.record_id == short_hash(json.dumps(plain, sort_keys=True), 16)


def test_a_record_does_not_share_its_dimensions_with_the_next() -> None:
    first = parse()
    first.dimensions["hall"] = "changed"

    assert parse().dimensions == {"hall": "a"}
