"""The developer's identity: a real user of the deployed pool, and real tokens for it.

A request that has no `Authorization` header is sent with such a token, so that the authorizer does on the
laptop what it does on AWS. What a request brings itself is never touched.
"""

import base64
import json
import secrets
import time
from typing import Any

USER = "developer"
TENANT = "development"
_EARLY_SECONDS = 120
_HELD_SECONDS = 60
"""A group that a deployment brings is in the token soon after."""


class DevelopmentIdentity:
    """Makes the user where it is missing, and signs it in when the token is about to expire.

    The user is in every group of the pool.

    Parameters
    ----------
    cognito
        A boto3 client of the local Cognito.
    """

    def __init__(self, cognito: Any) -> None:
        self._cognito = cognito
        self._tokens: dict[tuple[str, str], tuple[str, float]] = {}

    def token(self, pool_id: str, client_id: str) -> str:
        """Return an ID token of the developer that is valid for two minutes at least."""
        held = self._tokens.get((pool_id, client_id))
        if held is None or held[1] < time.time():
            token = self._sign_in(pool_id, client_id)
            until = min(_expiry(token) - _EARLY_SECONDS, time.time() + _HELD_SECONDS)
            held = self._tokens[pool_id, client_id] = (token, until)
        return held[0]

    def _sign_in(self, pool_id: str, client_id: str) -> str:
        password = f"{secrets.token_urlsafe(24)}aA1!"
        if not self._exists(pool_id):
            self._cognito.admin_create_user(
                UserPoolId=pool_id,
                Username=USER,
                MessageAction="SUPPRESS",
                TemporaryPassword=password,  # the generated one does not obey the pool's policy
                UserAttributes=[{"Name": name, "Value": TENANT} for name in self._own_attributes(pool_id)],
            )
        self._cognito.admin_set_user_password(
            UserPoolId=pool_id, Username=USER, Password=password, Permanent=True
        )
        for group in self._cognito.list_groups(UserPoolId=pool_id)["Groups"]:
            self._cognito.admin_add_user_to_group(
                UserPoolId=pool_id, Username=USER, GroupName=group["GroupName"]
            )
        answer = self._cognito.admin_initiate_auth(
            UserPoolId=pool_id,
            ClientId=client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": USER, "PASSWORD": password},
        )
        return str(answer["AuthenticationResult"]["IdToken"])

    def _exists(self, pool_id: str) -> bool:
        try:
            self._cognito.admin_get_user(UserPoolId=pool_id, Username=USER)
        except self._cognito.exceptions.UserNotFoundException:
            return False
        return True

    def _own_attributes(self, pool_id: str) -> list[str]:
        """Return the pool's text attributes of its own, which all get the developer's tenant as value."""
        schema = self._cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"]["SchemaAttributes"]
        return [
            each["Name"]
            for each in schema
            if each["Name"].startswith("custom:") and each["AttributeDataType"] == "String"
        ]


def audience_of(authorization: str) -> str | None:
    """Return the client that a token is for; None of what is no token."""
    try:
        claims = _claims(authorization.removeprefix("Bearer "))
    except (IndexError, ValueError):
        return None  # who serves the request refuses it
    found = claims.get("aud") or claims.get("client_id")
    return str(found) if found else None


def _expiry(token: str) -> float:
    return float(_claims(token)["exp"])


def _claims(token: str) -> dict[str, Any]:
    claims = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return found
