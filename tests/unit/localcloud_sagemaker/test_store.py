"""The state file: written whole, restored whole."""

import json
from pathlib import Path

import pytest

from localcloud.sagemaker.errors import InUseError, InvalidRequestError
from localcloud.sagemaker.kinds import ENDPOINT, MODEL, TRAINING_JOB
from localcloud.sagemaker.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "sagemaker" / "state.json", region="us-east-1", account="123456789012")


def test_written_state_is_read_by_the_next_store(store: Store) -> None:
    store.add(MODEL, "m", {"ModelName": "m", "_owner": "x"})
    store.write()
    following = Store(store.path, region="us-east-1", account="123456789012")
    following.start()
    try:
        assert following.get(MODEL, "m") == store.get(MODEL, "m")
    finally:
        following.close()


def test_nothing_is_written_when_nothing_changed(store: Store) -> None:
    store.add(MODEL, "m", {})
    store.write()
    store.path.unlink()
    store.write()
    assert not store.path.exists()


def test_draft_that_a_crash_left_is_not_read(store: Store) -> None:
    store.add(MODEL, "m", {})
    store.write()
    store.path.with_suffix(".tmp").write_text('{"version": 1, "resour')
    following = Store(store.path, region="us-east-1", account="123456789012")
    following.start()
    try:
        assert following.find(MODEL, "m") is not None
    finally:
        following.close()


def test_state_of_another_version_is_refused_by_its_path(store: Store) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_text(json.dumps({"version": 99, "resources": {}}))
    with pytest.raises(ValueError, match=r"state\.json: state version 99"):
        store.start()


def test_copies_that_it_gives_out_do_not_change_it(store: Store) -> None:
    store.add(MODEL, "m", {"Tags": []})
    store.get(MODEL, "m")["Tags"].append("x")
    store.all(MODEL)[0]["Tags"].append("x")
    assert store.get(MODEL, "m")["Tags"] == []


def test_name_in_use_is_refused_as_aws_does_for_each_kind(store: Store) -> None:
    for kind, error in ((TRAINING_JOB, InUseError), (ENDPOINT, InvalidRequestError)):
        store.add(kind, "n", {})
        with pytest.raises(error):
            store.add(kind, "n", {})
