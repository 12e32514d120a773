"""Before every HTTP request to the laptop's AWS: who asks, and may they."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from localcloud.authorization.authority import AccessDeniedError, Guard
from localcloud.authorization.credentials import UnknownCallerError
from localcloud.authorization.needs import Need, Place, UnknownNeedError, needs_of, s3_needs
from localcloud.authorization.operations import Operation, needs_no_caller, operation_of
from localcloud.iam.evaluation import Principal
from localcloud.seams import gateway, iam

Response = tuple[int, dict[str, str], Any]
Headers = dict[str, str]
Query = Mapping[str, list[str]]

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)")
_EXECUTE_API = "/_aws/execute-api/"
# Services of the JSON protocol that refuse with 403, as once in the query protocol; the others do with 400.
_FORBIDDEN = ("sqs", "monitoring")
_READS = ("s3:GetObject", "s3:GetObjectVersion")


class UnsignedError(Exception):
    """A request without credentials to what AWS serves only with them."""


_REFUSALS = (AccessDeniedError, UnknownCallerError, UnknownNeedError, UnsignedError)


@dataclass(frozen=True, slots=True)
class Asked:
    """One HTTP request.

    Attributes
    ----------
    service : str
        As ministack's router names it.
    query : mapping
        Parameters of the query string and of a form in the body.
    """

    service: str
    method: str
    path: str
    headers: Headers
    body: bytes
    query: Query

    @property
    def key_and_token(self) -> tuple[str, str] | None:
        """What it is signed with: in a header, a presigned URL, or a presigned form; None where it is not."""
        authorization = self.headers.get("authorization", "")
        if authorization.startswith("AWS4-"):
            found = _CREDENTIAL.search(authorization)
            return found[1] if found else "", self.headers.get("x-amz-security-token", "")
        if "X-Amz-Credential" in self.query:
            key = self.query["X-Amz-Credential"][0].partition("/")[0]
            return key, self.query.get("X-Amz-Security-Token", [""])[0]
        key = self._form_field("x-amz-credential").partition("/")[0]
        return (key, self._form_field("x-amz-security-token")) if key else None

    def needs(self, place: Place) -> list[Need]:
        """Return the permissions that it needs.

        Raises
        ------
        UnknownNeedError
            When nobody has written them down.
        """
        if self.service == "s3":
            key = self._form_field("key")
            path = f"{self.path.rstrip('/')}/{key}" if key else self.path
            return s3_needs(self.method, path, self.headers, self.body, self.query)
        operation = self.operation
        return needs_of(operation.service, operation.name, operation.parameters, place)

    @property
    def operation(self) -> Operation:
        """Which operation it is, of any service but S3."""
        return operation_of(self.service, self.method, self.path, self.headers, self.body, self.query)

    def _form_field(self, name: str) -> str:
        if self.service != "s3" or not self.headers.get("content-type", "").startswith("multipart/form-data"):
            return ""
        found = re.search(
            rb'name="%b"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]*)' % name.encode(), self.body, re.IGNORECASE
        )
        return found[1].decode() if found else ""


class AuthorizationGateway(Guard):
    """Takes the place of ministack's dispatch, and hands on what is allowed."""

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
        asked = Asked(service, method, path, headers, body, parameters)
        try:
            caller, needs = self._check(asked)
        except _REFUSALS as error:
            return refused(service, error, headers, request_id)
        answer: Response = await self._dispatch_on(method, path, headers, body, query, request_id)
        if answer[0] == HTTPStatus.NOT_FOUND and needs and needs[0].action in _READS:
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
        bucket = gateway.bucket_of_host(headers.get("host", ""))
        asked = Asked("s3", method, f"/{bucket}{path}" if bucket else path, headers, body, query)
        try:
            if bucket:
                self._check(asked)
            # Of the other data planes no role has one: what the router makes of its request is evaluated.
            elif asked.key_and_token and not path.startswith(_EXECUTE_API) and not self._is_developer(asked):
                return None
        except _REFUSALS as error:
            return refused("s3", error, headers, request_id)
        return await self._go_on(method, path, headers, body, query, request_id, **options)

    def _check(self, asked: Asked) -> tuple[Principal | None, list[Need]]:
        caller, needs = self._caller(asked), []
        try:
            if asked.key_and_token is None:
                operation = None if asked.service == "s3" else asked.operation
                if operation is None or not needs_no_caller(operation.service, operation.name):
                    raise UnsignedError(f"{asked.method} {asked.path} without credentials")
            if caller is not None:
                needs = asked.needs(self._authority.place)
        except (UnknownNeedError, UnsignedError) as error:
            self._authority.unanswered(error)
        self._authority.require(caller, needs, whole=asked.method != "HEAD")
        return caller, needs

    def _is_developer(self, asked: Asked) -> bool:
        try:
            return self._caller(asked) is None
        except UnknownCallerError:
            return False  # refused by `dispatch`, in the protocol of the service

    def _caller(self, asked: Asked) -> Principal | None:
        signed = asked.key_and_token
        return self._authority.keyring.caller(*signed) if signed else None


def refused(service: str, error: Exception, headers: Mapping[str, str], request_id: str) -> Response:
    """Return AWS's answer to a request that is refused, in the protocol of its service."""
    if isinstance(error, AccessDeniedError):
        status, answered, content = iam.refusal(
            service,
            error.request.action,
            error.request.principal.arn,
            request_id,
            message=str(error),
            headers=headers,
            resource_arn=error.request.resource,
            explicit_deny=error.decision.explicit,
        )
        is_json = "x-amz-target" in headers and service not in _FORBIDDEN
        return HTTPStatus.BAD_REQUEST if is_json else status, answered, content
    code, message = "MissingAuthenticationToken", "Request is missing Authentication Token"
    if isinstance(error, UnsignedError) and service == "s3":
        code, message = "AccessDenied", "Access Denied"
    elif isinstance(error, UnknownCallerError):
        code, message = error.code, str(error)
    elif isinstance(error, UnknownNeedError):
        code, message = "NotImplemented", str(error)
    return iam.refusal(service, "", "", request_id, error_code=code, message=message, headers=headers)
