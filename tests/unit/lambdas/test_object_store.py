"""One suite for the fake object store and S3's adapter."""

from __future__ import annotations

import pytest

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from tests.unit.lambdas.builders import BUCKET
from tests.unit.lambdas.fakes import FakeObjectStore
from watchkeeper.core.errors import ContractViolationError

URI = ObjectUri(BUCKET, "scores/pump/1.jsonl")


@pytest.fixture(params=["fake", "s3"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "fake":
        return FakeObjectStore()
    request.getfixturevalue("aws")
    return S3ObjectStore(clients.s3())


def test_reads_what_was_written_last(store: ObjectStore) -> None:
    store.write(URI, b"1")
    store.write(URI, b"2")
    assert store.read(URI) == b"2"


def test_absent_object_is_none(store: ObjectStore) -> None:
    assert store.read(URI) is None


def test_first_of_two_writers_decides(store: ObjectStore) -> None:
    assert store.write_once(URI, b"1") == b"1"
    assert store.write_once(URI, b"2") == b"1"
    assert store.read(URI) == b"1"


def test_finds_objects_under_a_prefix_only(store: ObjectStore) -> None:
    store.write(URI, b"1")
    assert store.any_under(ObjectUri(BUCKET, "scores/pump/"))
    assert not store.any_under(ObjectUri(BUCKET, "scores/other/"))
    assert store.keys_under(ObjectUri(BUCKET, "scores/pump/")) == [URI.key]
    assert store.keys_under(ObjectUri(BUCKET, "scores/pump/"), after=URI.key) == []
    assert store.keys_under(ObjectUri(BUCKET, "scores/other/")) == []
    [listed] = store.listed(ObjectUri(BUCKET, "scores/pump/"))
    assert (listed.key, listed.n_bytes) == (URI.key, 1)
    assert listed.tag
    assert '"' not in listed.tag
    assert listed.written_at.tzinfo is not None


def test_reads_the_version_that_was_announced(aws: object) -> None:
    clients.s3().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first = clients.s3().put_object(Bucket=BUCKET, Key="k", Body=b"1")["VersionId"]
    clients.s3().put_object(Bucket=BUCKET, Key="k", Body=b"2")
    assert S3ObjectStore(clients.s3()).read(ObjectUri(BUCKET, "k"), first) == b"1"


def test_missing_bucket_is_a_contract_violation(aws: object) -> None:
    with pytest.raises(ContractViolationError, match="write s3://nowhere/k"):
        S3ObjectStore(clients.s3()).write(ObjectUri("nowhere", "k"), b"")


@pytest.mark.parametrize("uri", ["https://bucket/key", "bucket/key", "s3:///key"])
def test_refuses_what_is_no_s3_location(uri: str) -> None:
    with pytest.raises(ContractViolationError, match="s3://bucket/key"):
        ObjectUri.parse(uri)


def test_location_reads_back() -> None:
    assert str(ObjectUri.parse("s3://bucket/a/b")) == "s3://bucket/a/b"
