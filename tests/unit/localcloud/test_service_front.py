"""Which API the front serves, and as whom it asks."""

import base64
import json
import time
from typing import Any

import pytest

from localcloud.service_front.identity import TENANT, USER, DevelopmentIdentity, audience_of
from localcloud.service_front.target import Deployed, NothingDeployedError, Target, find_target


class Stacks:
    """As much of CloudFormation's client as the search asks."""

    def __init__(self, *stacks: dict[str, Any]) -> None:
        self._stacks = list(stacks)

    def get_paginator(self, operation: str) -> "Stacks":
        assert operation == "describe_stacks"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"Stacks": self._stacks}]


class Authorizers:
    """As much of API Gateway's client as the search asks."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self._items = list(items)

    def get_authorizers(self, ApiId: str) -> dict[str, Any]:
        assert ApiId in ("0a1b2c3d", "console")
        return {"Items": self._items}


class Cognito:
    """As much of Cognito's client as the identity asks."""

    class exceptions:  # noqa: N801 - boto3's name
        class UserNotFoundException(Exception):  # noqa: N818 - boto3's name
            pass

    def __init__(self, seconds: float = 3600) -> None:
        self.seconds = seconds
        self.users: dict[str, Any] = {}
        self.sign_ins = 0
        self.memberships: set[tuple[str, str]] = set()

    def admin_get_user(self, **wanted: Any) -> None:
        if wanted["Username"] not in self.users:
            raise self.exceptions.UserNotFoundException

    def admin_create_user(self, **user: Any) -> None:
        self.users[user["Username"]] = user

    def admin_set_user_password(self, **change: Any) -> None:
        self.users[change["Username"]]["Password"] = change["Password"]

    def list_groups(self, **wanted: Any) -> dict[str, Any]:
        return {"Groups": [{"GroupName": "viewer"}, {"GroupName": "admin"}]}

    def admin_add_user_to_group(self, **change: Any) -> None:
        self.memberships.add((change["Username"], change["GroupName"]))

    def admin_initiate_auth(self, **attempt: Any) -> dict[str, Any]:
        self.sign_ins += 1
        assert self.users[USER]["Password"] == attempt["AuthParameters"]["PASSWORD"]
        claims = json.dumps({"exp": time.time() + self.seconds}).encode()
        token = f"x.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.{self.sign_ins}"
        return {"AuthenticationResult": {"IdToken": token}}

    def describe_user_pool(self, **wanted: Any) -> dict[str, Any]:
        schema = [
            {"Name": "email", "AttributeDataType": "String"},
            {"Name": "custom:tenant", "AttributeDataType": "String"},
            {"Name": "custom:seats", "AttributeDataType": "Number"},
        ]
        return {"UserPool": {"SchemaAttributes": schema}}


def stack(status: str = "CREATE_COMPLETE", **outputs: str) -> dict[str, Any]:
    found = [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()]
    return {"StackStatus": status, "Outputs": found}


URL = "http://0a1b2c3d.execute-api.127.0.0.1:4566"
TOKENS = {
    "JwtConfiguration": {
        "Issuer": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Pool",
        "Audience": ["client"],
    }
}


def test_serves_the_api_that_a_stack_names() -> None:
    stacks = Stacks(stack(Other="x"), stack(ServiceUrl=URL))

    service = Target("0a1b2c3d", "us-east-1_Pool", "client")
    assert find_target(stacks, Authorizers(TOKENS)) == Deployed(service)
    assert find_target(stacks, Authorizers()) == Deployed(Target("0a1b2c3d", None, None))


def test_a_token_of_the_consoles_client_goes_to_the_consoles_api() -> None:
    service, console = Target("0a1b2c3d", "pool", "programs"), Target("console", "pool", "page")
    deployed = Deployed(service, console)

    assert [deployed.api_for(audience) for audience in ("page", "programs", None)] == [
        console,
        service,
        service,
    ]
    assert Deployed(service).api_for("page") == service


def test_the_console_is_what_its_stack_names() -> None:
    stacks = Stacks(
        stack(ServiceUrl=URL),
        stack(
            ConsoleApiUrl="https://console.execute-api.us-east-1.amazonaws.com",
            ConsoleDomain="d1.cloudfront.net",
        ),
    )

    found = find_target(stacks, Authorizers())

    assert found.console == Target("console", None, None)
    assert found.domain == "d1.cloudfront.net"


@pytest.mark.parametrize("text", ["", "Bearer", "Bearer x.y.z", "AWS4-HMAC-SHA256 Credential=a/b"])
def test_what_is_no_token_has_no_audience(text: str) -> None:
    assert audience_of(text) is None


@pytest.mark.parametrize("stacks", [[], [stack(Other=URL)], [stack("DELETE_COMPLETE", ServiceUrl=URL)]])
def test_says_when_there_is_nothing_to_serve(stacks: list[dict[str, Any]]) -> None:
    with pytest.raises(NothingDeployedError, match="ServiceUrl"):
        find_target(Stacks(*stacks), Authorizers())


def test_the_developer_is_a_user_with_a_tenant() -> None:
    cognito = Cognito()

    DevelopmentIdentity(cognito).token("pool", "client")

    assert cognito.users[USER]["UserAttributes"] == [{"Name": "custom:tenant", "Value": TENANT}]
    assert cognito.memberships == {(USER, "viewer"), (USER, "admin")}


def test_a_token_is_kept_until_it_is_about_to_expire() -> None:
    lasting, ending = Cognito(), Cognito(seconds=60)
    for cognito in (lasting, ending):
        identity = DevelopmentIdentity(cognito)
        for _ in range(3):
            identity.token("pool", "client")

    assert (lasting.sign_ins, ending.sign_ins) == (1, 3)


def test_a_developer_of_an_earlier_start_gets_a_new_password() -> None:
    cognito = Cognito()
    first = DevelopmentIdentity(cognito).token("pool", "client")

    assert DevelopmentIdentity(cognito).token("pool", "client") != first
