"""One suite for the fake page store and the bucket's adapter."""

from __future__ import annotations

import dataclasses

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lambdas.adapters import clients
from lambdas.adapters.errors import status_of
from lambdas.scoring.pages import PageStore, S3PageStore, SplitShelves
from tests.unit.lambdas.builders import BUCKET, WORKLOAD
from tests.unit.lambdas.fakes import FakePageStore
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.layout import page_key
from watchkeeper.stream.page import Page, new_page
from watchkeeper.stream.page_format import to_bytes


@pytest.fixture(params=["fake", "bucket"])
def store(request: pytest.FixtureRequest) -> PageStore:
    if request.param == "fake":
        return FakePageStore()
    request.getfixturevalue("aws")
    return S3PageStore(clients.s3(), BUCKET)


def page_of(shelf: str, model: str = "") -> Page:
    return dataclasses.replace(new_page(WORKLOAD, shelf, 60), model=model)


def test_loads_what_was_saved_and_its_tag_allows_the_next_write(store: PageStore) -> None:
    assert store.load(WORKLOAD, "01") is None
    first = store.save(page_of("01"), None)
    found = store.load(WORKLOAD, "01")
    assert found is not None
    assert (to_bytes(found.page), found.tag) == (to_bytes(page_of("01")), first)
    second = store.save(page_of("01", "run"), found.tag)
    again = store.load(WORKLOAD, "01")
    assert again is not None
    assert (again.page.model, again.tag) == ("run", second)


def test_refuses_to_create_what_exists_and_to_replace_what_was_replaced(store: PageStore) -> None:
    first = store.save(page_of(""), None)
    assert store.save(page_of("", "a"), None) is None
    assert store.save(page_of("", "b"), first)
    assert store.save(page_of("", "c"), first) is None
    found = store.load(WORKLOAD, "")
    assert found is not None
    assert found.page.model == "b"


def test_shelves_and_workloads_do_not_see_each_other(store: PageStore) -> None:
    assert store.save(page_of("0"), None)
    assert store.load(WORKLOAD, "") is None
    assert store.load("other", "0") is None


def test_a_page_that_was_removed_since_it_was_read_is_a_conflict(aws: object) -> None:
    store = S3PageStore(clients.s3(), BUCKET)
    tag = store.save(page_of(""), None)
    clients.s3().delete_object(Bucket=BUCKET, Key=page_key(WORKLOAD, ""))
    assert store.save(page_of(""), tag) is None


class Refusing:
    """S3 that answers a write with an error."""

    def __init__(self, code: str, status: int) -> None:
        self.answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def put_object(self, **request: object) -> None:
        raise ClientError(self.answer, "PutObject")  # type: ignore[arg-type]  # what matters of an answer


@pytest.mark.parametrize(
    ("code", "status"), [("ConditionalRequestConflict", 409), ("PreconditionFailed", 412)]
)
def test_both_answers_to_a_conditional_write_are_conflicts(code: str, status: int) -> None:
    client = Refusing(code, status)
    assert status_of(ClientError(client.answer, "PutObject")) == status  # type: ignore[arg-type]  # likewise
    assert S3PageStore(client, BUCKET).save(page_of(""), "tag") is None  # type: ignore[arg-type]  # a client with one call


def test_a_write_that_is_not_allowed_is_no_conflict() -> None:
    store = S3PageStore(Refusing("AccessDenied", 403), BUCKET)  # type: ignore[arg-type]  # a client with one call
    with pytest.raises(
        ContractViolationError, match="write s3://telemetry-bucket/pages/workload=pump/shelf=root"
    ):
        store.save(page_of(""), None)


@given(st.text("01", max_size=4))
def test_a_split_shelf_is_remembered_by_its_workload(shelf: str) -> None:
    splits = SplitShelves()
    splits.add(WORKLOAD, shelf)
    assert (WORKLOAD, shelf) in splits
    assert ("other", shelf) not in splits
    assert (WORKLOAD, f"{shelf}0") not in splits
