"""Rows that are read a column at a time are those that are read one by one, refusals included."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark.fraud import rows
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import Dialect, TimestampPlan
from watchkeeper.fraud.features import category_hash
from watchkeeper.fraud.plan import FraudHistoryPlan, FraudPlan, LabelPlan, RelationPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.transaction import read_label, read_transaction

PLAN = FraudPlan(
    workload="w",
    id_field="id",
    timestamp=TimestampPlan("t", "epoch_seconds"),
    origin_seconds=1000,
    amount_field="amount",
    label=LabelPlan("fraud", delay_seconds=60.0),
    relations=(RelationPlan("card", ("card",)), RelationPlan("place", ("card", "addr"))),
    numeric=("c1", "c2"),
    categorical=("kind",),
)
GOOD = {
    **{"id": "1", "t": "5", "amount": "2.5", "fraud": "0", "card": "315.0", "addr": "a|b"},
    **{"c1": "1e3", "c2": "", "kind": "visa"},
}


def batch_of(cells: list[dict[str, str | None]], broken: str | None = None) -> pa.RecordBatch:
    n = len(cells)
    columns = {name: pa.array([row[name] for row in cells], pa.string()) for name in rows.input_columns(PLAN)}
    return pa.RecordBatch.from_pydict(
        columns
        | {
            rows.BROKEN: pa.array([broken] * n, pa.string()),
            rows.FILE: pa.array(["f.csv"] * n),
            rows.ORIGIN: pa.array([0] * n),
        }
    )


def one_by_one(fields: dict[str, str | None], plan: FraudPlan = PLAN) -> dict[str, Any]:
    try:
        read = read_transaction(fields, plan)
        label = read_label(fields, plan)
    except InvalidInputError as error:
        return {"reason": error.reason, "message": str(error)}
    return {
        "id": read.id,
        "time": read.time,
        "amount": read.amount,
        "numeric": list(read.numeric),
        "categorical": list(read.categorical),
        "entities": [read.entities.get(relation.name) for relation in plan.relations],
        "label": rows.UNKNOWN if label is None else int(label),
        "known_at": None if label is None else read.time + plan.label.delay_seconds,
    }


def together(cells: list[dict[str, str | None]], plan: FraudPlan = PLAN) -> list[dict[str, Any]]:
    return [
        {name: found[name] for name in one}
        for found, one in zip(
            rows.read(batch_of(cells), plan).to_pylist(),
            [one_by_one(row, plan) for row in cells],
            strict=True,
        )
    ]


CELLS = st.one_of(
    st.none(),
    st.sampled_from(
        [
            *(
                "",
                " ",
                "NA",
                "nan",
                "inf",
                "-0",
                "007",
                "1.",
                ".5",
                "+1",
                "1,5",
                "1e400",
                "1e31",
                "-3",
                "12.00",
            ),
            *(
                "\t7 ",
                "x|y",
                "\\",
                "é",
                "\x01",
                "0x1",
                "1_0",
                "true",
                "1.0e2",
                "9" * 40,
                "a" * 300,
                "\u00a05",
            ),
        ]
    ),
    st.floats(allow_nan=False).map(str),
    st.integers().map(str),
    st.text(max_size=5),
)


@settings(max_examples=150)
@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, CELLS)), min_size=1, max_size=4))
def test_any_cells_read_the_same_together_and_one_by_one(changes: list[dict[str, str | None]]) -> None:
    cells = [GOOD | change for change in changes]

    assert together(cells) == [one_by_one(row) for row in cells]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount": "-1"}, "negative_amount"),
        ({"amount": ""}, "missing_field"),
        ({"t": "soon"}, "bad_timestamp"),
        ({"c1": "many"}, "not_a_number"),
        ({"id": None}, "missing_field"),
        ({"card": "a\x01b"}, "bad_text"),
    ],
)
def test_refused_row_has_its_reason_and_its_cells(change: dict[str, str | None], reason: str) -> None:
    (found,) = rows.read(batch_of([GOOD | change]), PLAN).to_pylist()

    assert found["reason"] == reason
    assert str(next(iter(change))) in found["source"]
    assert found["file"] == "f.csv"


def test_line_that_is_no_row_is_refused_with_its_text() -> None:
    (found,) = rows.read(batch_of([dict.fromkeys(GOOD)], broken="1,2,3"), PLAN).to_pylist()

    assert (found["reason"], found["source"]) == ("bad_row", "1,2,3")


def test_row_has_the_features_that_need_no_graph() -> None:
    (found,) = rows.read(batch_of([GOOD]), PLAN).to_pylist()
    schema = schema_of(PLAN)

    assert len(found["row"]) == schema.n_row
    assert found["row"][0] == np.float32(math.log1p(2.5))
    assert found["row"][schema.numeric.start] == 1000.0
    assert math.isnan(found["row"][schema.numeric.start + 1])
    assert found["row"][-1] == category_hash("visa")
    assert found["entities"] == ["315", "315|a\\|b"]


def test_decimal_comma_of_the_dialect_is_read() -> None:
    plan = FraudPlan(**{**PLAN.__dict__, "history": FraudHistoryPlan(dialect=Dialect(decimal=","))})
    (found,) = rows.read(batch_of([GOOD | {"amount": "1.234,5", "c1": "0,5"}]), plan).to_pylist()

    assert (found["amount"], found["numeric"]) == (1234.5, [0.5, None])
