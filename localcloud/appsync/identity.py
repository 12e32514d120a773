"""Who asks the data plane: a user of a user pool by a token, or a role by its keys; and whether it may.

https://docs.aws.amazon.com/appsync/latest/eventapi/configure-event-api-auth.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.appsync.errors import unauthorized
from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.authorization.credentials import UnknownCallerError
from localcloud.authorization.needs import Need
from localcloud.seams import apigateway, appsync

COGNITO, IAM = "AMAZON_COGNITO_USER_POOLS", "AWS_IAM"
ACTIONS = {"connect": "EventConnect", "publish": "EventPublish", "subscribe": "EventSubscribe"}
"""IAM's actions by operation."""

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)")


@dataclass(frozen=True, slots=True)
class EventApi:
    """One deployed Event API."""

    api_id: str

    @property
    def record(self) -> Mapping[str, Any]:
        """What was made."""
        found: Mapping[str, Any] = appsync.apis[self.api_id]
        return found

    def namespace(self, name: str) -> Mapping[str, Any] | None:
        """Return a channel namespace; None where there is none of the name."""
        found: Mapping[str, Any] | None = (appsync.namespaces.get(self.api_id) or {}).get(name)
        return found

    def modes(self, operation: str, namespace: str | None) -> set[str]:
        """Return the authorization types that an operation takes."""
        of_api = self.record["eventConfig"]
        if operation == "connect":
            found = of_api["connectionAuthModes"]
        else:
            own = (self.namespace(namespace or "") or {}).get(f"{operation}AuthModes")
            found = own or of_api[f"default{operation.capitalize()}AuthModes"]
        return {mode["authType"] for mode in found}

    def pool(self) -> Mapping[str, Any]:
        """Return the configuration of the user pool whose tokens it takes."""
        for provider in self.record["eventConfig"]["authProviders"]:
            if provider["authType"] == COGNITO:
                found: Mapping[str, Any] = provider["cognitoConfig"]
                return found
        raise unauthorized()


class Doorkeeper:
    """Decides who may connect, subscribe and publish.

    Parameters
    ----------
    authority
        Knows the keys of roles and evaluates their policies.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def let_in(
        self, api: EventApi, operation: str, namespace: str | None, authorization: Mapping[str, str]
    ) -> dict[str, Any] | None:
        """Return the identity that handlers are told.

        Parameters
        ----------
        operation
            One of `ACTIONS`.
        authorization
            Headers of the request, or what a message or the handshake has in their place.

        Raises
        ------
        EventsError
            `UnauthorizedException`.
        """
        headers = {name.lower(): str(value) for name, value in authorization.items()}
        given, modes = headers.get("authorization", ""), api.modes(operation, namespace)
        if given.startswith("AWS4-"):
            if IAM in modes:
                return self._role(api, operation, namespace, headers)
        elif given and COGNITO in modes:
            return await self._user(api.pool(), given)
        raise unauthorized("You are not authorized to make this call.")

    def _role(
        self, api: EventApi, operation: str, namespace: str | None, headers: Mapping[str, str]
    ) -> dict[str, Any]:
        found = _CREDENTIAL.search(headers["authorization"])
        arn = str(api.record["apiArn"]) + (f"/channelNamespace/{namespace}" if namespace else "")
        try:
            caller = self._authority.keyring.caller(
                found[1] if found else "", headers.get("x-amz-security-token", "")
            )
            self._authority.require(caller, [Need(f"appsync:{ACTIONS[operation]}", arn)])
        except (AccessDeniedError, UnknownCallerError) as error:
            raise unauthorized(str(error)) from error
        place = self._authority.place
        return {
            "accountId": place.account,
            "userArn": f"arn:aws:iam::{place.account}:root" if caller is None else caller.arn,
        }

    async def _user(self, pool: Mapping[str, Any], token: str) -> dict[str, Any]:
        issuer = f"https://cognito-idp.{pool['awsRegion']}.amazonaws.com/{pool['userPoolId']}"
        authorizer = {
            "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": {"issuer": issuer},
        }
        raw = token.removeprefix("Bearer ")
        claims, _, refused = await apigateway.validate_token({}, authorizer, {"authorization": raw}, {})
        if refused is not None or claims is None:
            raise unauthorized("Valid authorization header not provided.")
        client = str(claims.get("client_id") or claims.get("aud") or "")
        if not re.fullmatch(pool.get("appIdClientRegex") or ".*", client):
            raise unauthorized("The token is of another client of the user pool.")
        return {
            "sub": claims.get("sub"),
            "issuer": issuer,
            "username": claims.get("cognito:username") or claims.get("username"),
            "claims": json.loads(json.dumps(claims)),
            "groups": claims.get("cognito:groups"),
            "sourceIp": ["127.0.0.1"],
            "defaultAuthStrategy": "ALLOW",
        }
