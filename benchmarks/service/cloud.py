"""The application on a local cloud of its own, and a caller with a token."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from benchmarks.journey.laptop import running
from cli.deployer import Deployer, Stage
from localcloud.environment import client_environment
from localcloud.settings import Settings

TENANT = "benchmark"
FRESHNESS_SECONDS = 0.3


@dataclass(frozen=True)
class Service:
    """The deployed service."""

    url: str
    """API Gateway itself, where every request needs its own token."""
    front: str
    """The laptop's address, where a request without a token is the developer's."""
    token: str
    session: boto3.Session
    outputs: dict[str, str]
    settings: Settings
    """Of the local cloud."""


@contextmanager
def deployed() -> Iterator[Service]:
    """Deploy the application to a local cloud, serve it, and end it."""
    with running(FRESHNESS_SECONDS) as settings:
        session = boto3.Session()
        Deployer(session, Stage.LAPTOP).deploy()
        yield service_at(session, settings)


@contextmanager
def given() -> Iterator[Service]:
    """Use the local cloud of `LOCALCLOUD_HOME` and the ports beside it, with the application deployed."""
    settings = Settings.from_environment()
    os.environ.update(client_environment(settings))
    yield service_at(boto3.Session(), settings)


def service_at(session: boto3.Session, settings: Settings) -> Service:
    """Return the service of a local cloud, and a token of a user of its own."""
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for page in session.client("cloudformation").get_paginator("describe_stacks").paginate()
        for stack in page["Stacks"]
        for output in stack.get("Outputs", [])
    }
    api = outputs["ServiceUrl"].rpartition("/")[2].partition(".")[0]
    return Service(
        url=f"{settings.endpoint_url}/_aws/execute-api/{api}/$default",
        front=f"http://localhost:{settings.service_port}",
        token=_token(session, outputs),
        session=session,
        outputs=outputs,
        settings=settings,
    )


def _token(session: boto3.Session, outputs: dict[str, str]) -> str:
    cognito: Any = session.client("cognito-idp")
    password = f"{secrets.token_urlsafe(16)}aA1!"
    user = {"UserPoolId": outputs["UserPoolId"], "Username": TENANT}
    with contextlib.suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(
            **user,
            MessageAction="SUPPRESS",
            TemporaryPassword=password,
            UserAttributes=[{"Name": "custom:tenant", "Value": TENANT}],
        )
    cognito.admin_set_user_password(**user, Password=password, Permanent=True)
    answer = cognito.admin_initiate_auth(
        UserPoolId=outputs["UserPoolId"],
        ClientId=outputs["UserPoolClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": TENANT, "PASSWORD": password},
    )
    return str(answer["AuthenticationResult"]["IdToken"])
