"""Requests to the endpoint: a refused row does not hold up the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.scoring import requests
from lambdas.scoring.probing import ProbedEndpoint, ReleaseCache
from lambdas.scoring.requests import (
    MAX_REFUSED_ROWS,
    MAX_REQUEST_ROWS,
    packed,
    score_request,
)
from tests.unit.lambdas.builders import WORKLOAD, make_release
from tests.unit.lambdas.fakes import FakeEndpoint, FakeReleaseStore
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.stream.judging import Answer

RELEASE = make_release()


def probed(endpoint: FakeEndpoint) -> ProbedEndpoint:
    store = FakeReleaseStore()
    store.release(RELEASE)
    return ProbedEndpoint(WORKLOAD, endpoint, ReleaseCache(store))


def rows_of(values: list[float]) -> list[str]:
    return [f"t,s,{value}" for value in values]


@given(
    st.lists(st.sampled_from([1.0, 20.0, 666.0]), min_size=1, max_size=30).filter(
        lambda values: values.count(666.0) <= MAX_REFUSED_ROWS
    ),
    st.booleans(),
)
def test_every_row_has_one_answer_and_only_refused_ones_have_no_score(
    values: list[float], names_record: bool
) -> None:
    endpoint = probed(FakeEndpoint(RELEASE, names_record=names_record))
    refused = Answer(None, reason="refused by the model", refusal="bad luck")
    assert score_request(rows_of(values), endpoint) == [
        refused if value == 666.0 else Answer(value / 10, RELEASE) for value in values
    ]


def test_named_row_costs_one_more_request() -> None:
    endpoint = FakeEndpoint(RELEASE)
    score_request(rows_of([1.0] * 200 + [666.0] + [1.0] * 200), probed(endpoint))
    assert [len(request) for request in endpoint.requests] == [402, 401]


def test_unnamed_row_is_found_by_halving() -> None:
    endpoint = FakeEndpoint(RELEASE, names_record=False)
    score_request(rows_of([1.0] * 200 + [666.0] + [1.0] * 199), probed(endpoint))
    assert len(endpoint.requests) <= 3 * 9 + 2


def test_model_that_refuses_everything_is_a_contract_violation() -> None:
    endpoint = FakeEndpoint(RELEASE)
    with pytest.raises(ContractViolationError, match="refuses more than 20 of 300 rows: bad luck"):
        score_request(rows_of([666.0] * 300), probed(endpoint))
    assert len(endpoint.requests) == MAX_REFUSED_ROWS + 1


@given(st.lists(st.integers(1, 40), max_size=1300))
def test_requests_hold_all_rows_in_order_within_both_limits(lengths: list[int]) -> None:
    rows = ["x" * length for length in lengths]
    requests = packed(rows)
    assert [row for request in requests for row in request] == rows
    assert all(1 <= len(request) <= MAX_REQUEST_ROWS for request in requests)


def test_request_stays_below_the_size_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MAX_REQUEST_BYTES", 100)
    batches = packed(["ä" * 20] * 7)
    assert [len(request) for request in batches] == [2, 2, 2, 1]
