"""A caller is known by the credentials that it signs with, and by nothing else."""

import time
from pathlib import Path

import pytest

from localcloud.authorization.credentials import Keyring, UnknownCallerError, session
from localcloud.seams import iam

ROLE = "arn:aws:iam::123456789012:role/path/Scoring"


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    opened = Keyring(tmp_path)
    opened.open()
    return opened


def test_session_of_a_role_is_known_by_its_key_and_token(keyring: Keyring) -> None:
    issued = keyring.issue(ROLE, "score")
    caller = keyring.caller(issued.access_key_id, issued.session_token)

    assert issued.access_key_id.startswith("ASIA")
    assert len(issued.access_key_id) == 20
    assert caller is not None
    assert caller.arn == "arn:aws:sts::123456789012:assumed-role/Scoring/score"
    assert session(ROLE, "score").role_arn == ROLE


def test_each_session_has_keys_of_its_own_and_keeps_them(keyring: Keyring) -> None:
    assert keyring.issue(ROLE, "score") == keyring.issue(ROLE, "score")
    assert keyring.issue(ROLE, "score") != keyring.issue(ROLE, "other")


def test_keys_are_known_after_a_restart(keyring: Keyring, tmp_path: Path) -> None:
    issued = keyring.issue(ROLE, "score")
    iam.sessions.clear()
    again = Keyring(tmp_path)
    again.open()

    assert again.caller(issued.access_key_id, issued.session_token) is not None
    assert again.issue(ROLE, "score") == issued


def test_keys_of_another_laptop_are_unknown(keyring: Keyring, tmp_path: Path) -> None:
    other = Keyring(tmp_path / "other")
    other.open()

    assert other.issue(ROLE, "score").session_token != keyring.issue(ROLE, "score").session_token


def test_developer_is_the_administrator(keyring: Keyring) -> None:
    assert keyring.caller("test", "") is None


@pytest.mark.parametrize("key", ["", "AKIAIOSFODNN7EXAMPLE", "123456789012", "ASIAAAAAAAAAAAAAAAAA"])
def test_key_that_nobody_issued_is_refused(keyring: Keyring, key: str) -> None:
    with pytest.raises(UnknownCallerError) as refused:
        keyring.caller(key, "")

    assert refused.value.code == "UnrecognizedClientException"


@pytest.mark.parametrize("other", [True, False])
def test_token_that_is_not_the_keys_is_refused(keyring: Keyring, other: bool) -> None:
    issued = keyring.issue(ROLE, "score")
    token = keyring.issue(ROLE, "other").session_token if other else ""
    with pytest.raises(UnknownCallerError) as refused:
        keyring.caller(issued.access_key_id, token)

    assert refused.value.code == "InvalidToken"


def test_session_that_sts_issued_expires(keyring: Keyring) -> None:
    arn = "arn:aws:sts::123456789012:assumed-role/Deploy/cdk"
    record = {"Arn": arn, "SessionToken": "t", "Expiration": time.time() - 1}
    iam.register_session("ASIAEXPIRED", dict(record, Expiration=time.time() + 60))
    assert keyring.caller("ASIAEXPIRED", "t") is not None
    iam.sessions["ASIAEXPIRED"].update(record)
    with pytest.raises(UnknownCallerError) as refused:
        keyring.caller("ASIAEXPIRED", "t")

    assert refused.value.code == "ExpiredTokenException"
