"""Before every HTTP request to the laptop's AWS: who asks, and may they."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from localcloud.authorization.authority import AccessDeniedError, Authority
from localcloud.authorization.credentials import UnknownCallerError
from localcloud.authorization.needs import Need, UnknownNeedError, needs_of, s3_needs
from localcloud.authorization.operations import needs_no_caller, operation_of
from localcloud.iam.evaluation import Principal
from localcloud.seams import gateway, iam

Response = tuple[int, dict[str, str], Any]
Headers = dict[str, str]
Query = Mapping[str, list[str]]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)")
_EXECUTE_API = "/_aws/execute-api/"
_NOT_FOUND = 404
_READS = ("s3:GetObject", "s3:GetObjectVersion")


class UnsignedError(Exception):
    """A request without credentials."""


class AuthorizationGateway:
    """Takes the place of ministack's dispatch, and hands on what is allowed.

    Parameters
    ----------
    authority
        Decides.
    """

    def __init__(self, authority: Authority, *, enforce: bool) -> None:
        self._authority = authority
        self._enforce = enforce

    def install(self) -> None:
        """Stand before both of ministack's ways to a service."""
        self._dispatch_on = gateway.dispatch.replace(self.dispatch)
        self._go_on: Callable[..., Awaitable[Response | None]] = gateway.dispatch_special.replace(
            self.dispatch_special
        )

    async def dispatch(
        self, method: str, path: str, headers: Headers, body: bytes, query: Query, request_id: str
    ) -> Response:
        """Answer one request of a service's API."""
        parameters = gateway.routing_parameters(method, path, headers, body, query)
        service = gateway.detect_service(method, path, headers, parameters)
        try:
            caller = self._caller(service, method, path, headers, body, query, parameters)
            needs = self._check(caller, service, method, path, headers, body, parameters)
        except (AccessDeniedError, UnknownCallerError, UnknownNeedError, UnsignedError) as error:
            return refused(service, error, headers, request_id)
        answer: Response = await self._dispatch_on(method, path, headers, body, query, request_id)
        if service == "s3" and answer[0] == _NOT_FOUND and needs and needs[0].action in _READS:
            # AWS tells that an object is missing only to who may list the bucket.
            listing = Need("s3:ListBucket", needs[0].resource.partition("/")[0])
            try:
                self._authority.require(caller, [listing])
            except AccessDeniedError as error:
                return refused(service, error, headers, request_id)
        return answer

    async def dispatch_special(
        self,
        method: str,
        path: str,
        headers: Headers,
        body: bytes,
        query: Query,
        request_id: str,
        **options: Any,
    ) -> Response | None:
        """Answer one request that its host or path gives to a data plane; None leaves it to `dispatch`."""
        if not _is_signed(headers, query):
            return await self._go_on(method, path, headers, body, query, request_id, **options)
        bucket = gateway.bucket_of_host(headers.get("host", ""))
        try:
            caller = self._known(headers, query)
            if bucket:
                self._check(caller, "s3", method, f"/{bucket}{path}", headers, body, query)
        except (AccessDeniedError, UnknownCallerError, UnknownNeedError) as error:
            return refused("s3" if bucket else "", error, headers, request_id)
        if caller is None or bucket or path.startswith(_EXECUTE_API):
            return await self._go_on(method, path, headers, body, query, request_id, **options)
        return None  # of the other data planes no role has one: what the router makes of it is evaluated

    def _caller(
        self,
        service: str,
        method: str,
        path: str,
        headers: Headers,
        body: bytes,
        query: Query,
        parameters: Query,
    ) -> Principal | None:
        if _is_signed(headers, query):
            return self._known(headers, query)
        if service == "s3" or not self._enforce:
            return None
        operation = operation_of(service, method, path, headers, body, parameters)
        if not needs_no_caller(operation.service, operation.name):
            raise UnsignedError
        return None

    def _known(self, headers: Mapping[str, str], query: Query) -> Principal | None:
        return self._authority.keyring.caller(*_signed_with(headers, query))

    def _check(
        self,
        caller: Principal | None,
        service: str,
        method: str,
        path: str,
        headers: Headers,
        body: bytes,
        parameters: Query,
    ) -> list[Need]:
        if caller is None:
            return []
        if service == "s3":
            needs = s3_needs(method, path, headers, body, parameters)
        else:
            asked = operation_of(service, method, path, headers, body, parameters)
            needs = needs_of(asked.service, asked.name, asked.parameters, self._authority.place)
        self._authority.require(caller, needs, whole=method != "HEAD")
        return needs


def refused(service: str, error: Exception, headers: Mapping[str, str], request_id: str) -> Response:
    """Return AWS's answer to a request that is refused, in the protocol of its service."""
    if isinstance(error, AccessDeniedError):
        return iam.refusal(
            service,
            error.request.action,
            error.request.principal.arn,
            request_id,
            message=str(error),
            headers=headers,
            resource_arn=error.request.resource,
            explicit_deny=error.decision.explicit,
        )
    code, message = "MissingAuthenticationToken", "Request is missing Authentication Token"
    if isinstance(error, UnknownCallerError):
        code, message = error.code, str(error)
    elif isinstance(error, UnknownNeedError):
        code, message = "NotImplemented", str(error)
    return iam.refusal(service, "", "", request_id, error_code=code, message=message, headers=headers)


def _is_signed(headers: Mapping[str, str], query: Query) -> bool:
    return headers.get("authorization", "").startswith("AWS4-") or "X-Amz-Credential" in query


def _signed_with(headers: Mapping[str, str], query: Query) -> tuple[str, str]:
    """Return key and token, of the header or of a presigned URL."""
    found = _CREDENTIAL.search(headers.get("authorization", ""))
    if found:
        return found[1], headers.get("x-amz-security-token", "")
    key = query.get("X-Amz-Credential", [""])[0].partition("/")[0]
    return key, query.get("X-Amz-Security-Token", [""])[0]
