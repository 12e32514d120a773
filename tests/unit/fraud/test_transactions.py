"""What a transaction is, and how a wrong one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.fraud.plans import PLAN, row
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.transaction import read_label, read_transaction


def test_reads_a_transaction_in_the_plans_order() -> None:
    read = read_transaction(row(fraud="1"), PLAN)
    assert (read.id, read.time, read.amount) == ("t1", 1000.0, 12.5)
    assert (read.numeric, read.categorical) == ((3.0,), ("W",))
    assert read.entities == {"card": "c1|i1", "device": "d1"}


def test_whole_numbers_are_the_same_entity_however_they_are_written() -> None:
    keys = [
        read_transaction(row(device=key), PLAN).entities["device"] for key in (315, 315.0, "315", " 315.0 ")
    ]
    assert set(keys) == {"315"}


def test_parts_of_a_key_cannot_be_mistaken_for_each_other() -> None:
    one, other = row(card="a|b", issuer="c"), row(card="a", issuer="b|c")
    assert read_transaction(one, PLAN).entities != read_transaction(other, PLAN).entities


@pytest.mark.parametrize("missing", [None, "", "  ", float("nan")])
def test_a_transaction_that_lacks_a_part_of_a_key_has_no_such_entity(missing: Any) -> None:
    assert "card" not in read_transaction(row() | {"issuer": missing}, PLAN).entities


def test_the_same_content_has_the_same_digest_and_other_content_another() -> None:
    first = read_transaction(row(), PLAN).digest
    assert read_transaction(dict(reversed(row().items())), PLAN).digest == first
    others = (row(amount=12.51), row(device=None), row(product=None), row(distance=None), row(at=1001))
    assert first not in {read_transaction(other, PLAN).digest for other in others}


@pytest.mark.parametrize(
    ("fields", "reason", "said"),
    [
        (row(amount=None), "missing_field", "field 'amount' is missing"),
        (row(id="  "), "missing_field", "field 'id' is missing"),
        (row(amount="12,5"), "not_a_number", "field 'amount'"),
        (row(distance="far"), "not_a_number", "field 'distance'"),
        (row(at="yesterday"), "bad_timestamp", "field 'at'"),
        (row(device=["d1"]), "bad_text", "field 'device'"),
        (row(device="x" * 300), "bad_text", "at most 256 characters"),
        (row(id="t\n1"), "bad_text", "field 'id'"),
        (row(devise="d1"), "unknown_field", "is 'device' meant?"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(fields: dict[str, Any], reason: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said.replace("?", r"\?")) as refused:
        read_transaction(fields, PLAN, strict=True)
    assert refused.value.reason == reason


def test_history_may_have_columns_that_the_plan_does_not_know() -> None:
    assert read_transaction(row(devise="d1"), PLAN).id == "t1"


@pytest.mark.parametrize(
    ("cell", "fraud"),
    [("1", True), (1, True), (1.0, True), ("0", False), (0, False), ("2", None), ("", None)],
)
def test_labels_are_fraud_legitimate_or_unknown(cell: Any, fraud: bool | None) -> None:
    assert read_label({"fraud": cell}, PLAN) is fraud


def test_a_plan_travels_as_json() -> None:
    assert FraudPlan.from_json(PLAN.to_json()) == PLAN
    with pytest.raises(ContractViolationError, match="kind"):
        FraudPlan.from_json(
            PLAN.to_json().replace('"fraud","', '"risk","').replace('"kind":"fraud"', '"kind":"x"')
        )
