"""Signing in by SRP against a user pool that checks the proof, as Cognito does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.contract.localcloud.cloud import Cloud, running_cloud
from watchkeeper.client import SignIn
from watchkeeper.command.failures import ReportingGroup
from watchkeeper.command.main import LIBRARY_VERBS, application
from watchkeeper.core.errors import InvalidInputError, UnavailableError

PASSWORD = "a Password of 2026!"
SRP_ONLY = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


class Pool:
    """A user pool whose client takes SRP alone."""

    def __init__(self, cloud: Cloud) -> None:
        self.cognito: Any = cloud.client("cognito-idp")
        self.url = cloud.settings.endpoint_url
        self.id = self.cognito.create_user_pool(PoolName="callers")["UserPool"]["Id"]
        made = self.cognito.create_user_pool_client(
            UserPoolId=self.id, ClientName="client", ExplicitAuthFlows=SRP_ONLY
        )
        self.client = made["UserPoolClient"]["ClientId"]

    def add_user(self, name: str, password: str = PASSWORD, *, permanent: bool = True) -> None:
        self.cognito.admin_create_user(UserPoolId=self.id, Username=name, MessageAction="SUPPRESS")
        self.cognito.admin_set_user_password(
            UserPoolId=self.id, Username=name, Password=password, Permanent=permanent
        )

    def sign_in(self, name: str, password: str = PASSWORD) -> SignIn:
        return SignIn(self.id, self.client, name, password, url=self.url)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    with running_cloud(tmp_path_factory.mktemp("sign-in") / "home") as cloud:
        yield Pool(cloud)


def test_a_user_gets_a_token_and_the_password_is_not_sent(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.add_user("ann")
    signing_in, sent = pool.sign_in("ann"), []
    ask = signing_in._ask

    def watched(operation: str, **members: Any) -> dict[str, Any]:
        sent.append(str(members))
        return ask(operation, **members)

    monkeypatch.setattr(signing_in, "_ask", watched)

    assert signing_in().count(".") == 2
    assert len(sent) == 2
    assert not any(PASSWORD in each for each in sent)


@pytest.mark.parametrize("attempt", range(8))
def test_every_key_pair_proves_the_password(pool: Pool, attempt: int) -> None:
    name = f"user{attempt}"
    pool.add_user(name, f"{PASSWORD}{attempt}")

    assert pool.sign_in(name, f"{PASSWORD}{attempt}")()


def test_a_wrong_password_an_unknown_user_and_a_temporary_password_are_told(pool: Pool) -> None:
    pool.add_user("bob")
    pool.add_user("new", permanent=False)

    with pytest.raises(InvalidInputError, match=r"user bob is not signed in: Incorrect username or password"):
        pool.sign_in("bob", "another Password of 2026!")()
    with pytest.raises(InvalidInputError, match="user nobody is not signed in"):
        pool.sign_in("nobody")()
    with pytest.raises(InvalidInputError, match="the password is temporary"):
        pool.sign_in("new")()


def test_a_token_is_kept_renewed_without_the_password_and_asked_for_again_when_revoked(
    pool: Pool,
) -> None:
    pool.add_user("cleo")
    asked: list[str] = []

    def password() -> str:
        asked.append("password")
        return PASSWORD

    signing_in = SignIn(pool.id, pool.client, "cleo", password, url=pool.url)
    assert signing_in() == signing_in()
    assert asked == ["password"]

    signing_in._expires_at = time.time()
    signing_in()
    assert asked == ["password"]

    signing_in._expires_at, signing_in._refresh = time.time(), "revoked"
    assert signing_in()
    assert asked == ["password", "password"]


def test_a_pool_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        SignIn("us-east-1_x", "client", "ann", PASSWORD, url="http://127.0.0.1:9")()


def test_a_password_is_sent_nowhere_without_encryption() -> None:
    with pytest.raises(InvalidInputError, match="must be https"):
        SignIn("us-east-1_x", "client", "ann", PASSWORD, url="http://pools.example")


def test_the_command_writes_the_token_alone(pool: Pool) -> None:
    pool.add_user("dora")
    app = application(LIBRARY_VERBS, ReportingGroup, "")
    arguments = ["token", "dora", "--pool", pool.id, "--client", pool.client, "--url", pool.url]

    asked = CliRunner().invoke(app, arguments, input=f"{PASSWORD}\n")
    given = CliRunner().invoke(app, [*arguments, "--password", PASSWORD])

    assert asked.exit_code == given.exit_code == 0, asked.output
    assert given.stdout.strip().count(".") == 2
    assert asked.stdout.strip().count(".") == 2
