"""Users of the anomaly service, with real tokens of the deployed pool."""

from __future__ import annotations

import contextlib
import secrets
import time

from tests.local.laptop import Laptop
from watchkeeper.client import SignIn


def token_of(laptop: Laptop, user: str, tenant: str) -> str:
    """Return an ID token of a user of a tenant; the user is made when there is none."""
    cognito, pool = laptop.client("cognito-idp"), laptop.outputs["UserPoolId"]
    password = password_of(laptop, user, tenant)
    return SignIn(pool, laptop.outputs["UserPoolClientId"], user, password, url=cognito.meta.endpoint_url)()


def password_of(laptop: Laptop, user: str, tenant: str, *groups: str) -> str:
    """Return a new password of a user of a tenant; the user is made when there is none.

    Parameters
    ----------
    groups
        What the user is added to.
    """
    cognito, pool = laptop.client("cognito-idp"), laptop.outputs["UserPoolId"]
    password = f"{secrets.token_urlsafe(16)}aA1!"
    with contextlib.suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=user,
            MessageAction="SUPPRESS",
            TemporaryPassword=password,
            UserAttributes=[{"Name": "custom:tenant", "Value": tenant}],
        )
    cognito.admin_set_user_password(UserPoolId=pool, Username=user, Password=password, Permanent=True)
    for group in groups:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=user, GroupName=group)
    return password


def expired_token_of(laptop: Laptop, user: str, tenant: str) -> str:
    """Return an ID token that was valid for a second."""
    cognito, pool = laptop.client("cognito-idp"), laptop.outputs["UserPoolId"]
    client = laptop.outputs["UserPoolClientId"]
    before = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]
    kept = {
        name: before[name]
        for name in ("ExplicitAuthFlows", "ReadAttributes", "WriteAttributes", "ClientName")
        if before.get(name)
    }
    cognito.update_user_pool_client(
        UserPoolId=pool,
        ClientId=client,
        **kept,
        IdTokenValidity=1,
        TokenValidityUnits={**before["TokenValidityUnits"], "IdToken": "seconds"},
    )
    try:
        token = token_of(laptop, user, tenant)
    finally:
        cognito.update_user_pool_client(
            UserPoolId=pool,
            ClientId=client,
            **kept,
            IdTokenValidity=before["IdTokenValidity"],
            TokenValidityUnits=before["TokenValidityUnits"],
        )
    time.sleep(2)
    return token
