from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.telemetry.series import MAX_KEY_BYTES, measure_of, parse_series_key, series_key

PLAN = WorkloadPlan(
    "plant",
    TimestampPlan("t"),
    (MeasurePlan("co", "CO"), MeasurePlan("no2", "NO2")),
    60,
    dimensions=("hall", "machine"),
)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def test_key_names_the_measure_and_the_dimensions_in_the_plans_order() -> None:
    assert series_key("co", {"machine": "7", "hall": "a b"}, PLAN) == "co|hall=a b|machine=7"


@given(VALUES, VALUES)
def test_key_can_be_taken_apart_again(hall: str, machine: str) -> None:
    parsed = parse_series_key(series_key("co", {"hall": hall, "machine": machine}, PLAN))

    assert (parsed.measure, dict(parsed.dimensions)) == ("co", {"hall": hall, "machine": machine})


@given(VALUES, VALUES)
def test_key_is_one_cell_of_one_line(hall: str, machine: str) -> None:
    key = series_key("co", {"hall": hall, "machine": machine}, PLAN)

    assert "," not in key
    assert '"' not in key
    assert key.splitlines() == [key]
    assert key == key.strip()
    assert key.isprintable() or all(not character.isspace() for character in key.replace(" ", ""))


@given(st.tuples(VALUES, VALUES), st.tuples(VALUES, VALUES))
def test_different_series_have_different_keys(one: tuple[str, str], other: tuple[str, str]) -> None:
    keys = {series_key("co", dict(zip(PLAN.dimensions, pair, strict=True)), PLAN) for pair in (one, other)}

    assert len(keys) == len({one, other})


def test_refuses_a_missing_dimension() -> None:
    with pytest.raises(InvalidInputError, match="'machine'") as refused:
        series_key("co", {"hall": "a"}, PLAN)

    assert refused.value.reason == "missing_dimension"


@pytest.mark.parametrize("value", ["x" * MAX_KEY_BYTES, "\ud800"])
def test_refuses_values_that_no_table_key_can_hold(value: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        series_key("co", {"hall": value, "machine": "1"}, PLAN)

    assert refused.value.reason == "bad_dimension"


@pytest.mark.parametrize("key", ["", "|hall=a", "co|hall", "co|=a"])
def test_refuses_text_that_is_no_key(key: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_series_key(key)

    assert refused.value.reason == "bad_series"


def test_finds_the_measure_of_a_series() -> None:
    assert measure_of("no2|hall=a|machine=1", PLAN).field == "NO2"
    with pytest.raises(InvalidInputError, match="it has co, no2"):
        measure_of("so2|hall=a|machine=1", PLAN)
