"""The HTTP request as API Gateway hands it over, made ready for the routes, and the tenant that calls."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from lambdas.service_api.problems import (
    FORBIDDEN,
    REQUEST_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    ServiceProblemError,
)
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.service.tenant_files import tenant_root

MAX_BODY_BYTES = 65_536
"""Bodies are small: files go to S3."""
SEGMENTS = ("/files/", "/requests/")
"""What follows is one segment: a file's key, or a request's id."""
TASKS = "/anomaly_detection/"
_MALFORMED = "malformed_request"


def normalized(event: dict[str, Any], takes_body: Callable[[str, str], bool]) -> dict[str, Any]:
    """Return the event with one spelling of its path and a body that is text.

    A missing `/` at the end of a task's path is added, one too many elsewhere is taken away; what follows
    `/files/` becomes one segment.

    Parameters
    ----------
    takes_body
        Whether a method of a path takes a body; another one's is not looked at.

    Raises
    ------
    ServiceProblemError
        If the body is too large, not JSON, or not text in UTF-8.
    """
    normal = {**event, "rawPath": _path(event["rawPath"])}
    if takes_body(event["requestContext"]["http"]["method"], normal["rawPath"]):
        normal |= {"body": _body(event), "isBase64Encoded": False}
    return normal


def _path(path: str) -> str:
    for place in SEGMENTS:
        if path.startswith(place) and len(path) > len(place):
            return f"{place}{quote(unquote(path.removeprefix(place)), safe='')}"
    if path.startswith(TASKS):
        return path.rstrip("/") + "/"
    return path.rstrip("/") or "/"


def _body(event: dict[str, Any]) -> str:
    body: str = event.get("body") or ""
    if len(body) > MAX_BODY_BYTES * 4 // 3 + 4:
        raise _too_large()
    try:
        content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        text = content.decode()
    except (binascii.Error, UnicodeError) as error:
        raise ServiceProblemError(_MALFORMED, "the body is not text in UTF-8") from error
    if len(content) > MAX_BODY_BYTES:
        raise _too_large()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", "application/json"):
        raise ServiceProblemError(
            UNSUPPORTED_MEDIA_TYPE, f"Content-Type is {kind[:60]!r}; the body must be application/json"
        )
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ServiceProblemError(_MALFORMED, f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ServiceProblemError("invalid_request", "the body must be a JSON object")
    return text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a value of JSON")


def _too_large() -> ServiceProblemError:
    return ServiceProblemError(
        REQUEST_TOO_LARGE,
        f"the body has more than {MAX_BODY_BYTES} bytes; upload files by POST /files",
    )


TENANT_CLAIM = "custom:tenant"
"""Set by an administrator; a caller without it is a tenant alone, by the name of the claim `sub`."""


def tenant_of(event: dict[str, Any]) -> str:
    """Return the tenant of a request that API Gateway's JWT authorizer let through.

    Raises
    ------
    ServiceProblemError
        If the token names none, or one that is no name (`forbidden`).
    """
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    claims = (authorizer.get("jwt") or {}).get("claims") or {}
    if claims.get("token_use", "id") != "id":  # an access token has no attributes of the user
        raise ServiceProblemError(FORBIDDEN, "the token is an access token: send the ID token")
    tenant = claims.get(TENANT_CLAIM) or claims.get("sub")
    if not isinstance(tenant, str):
        raise ServiceProblemError(FORBIDDEN, f"the token has neither {TENANT_CLAIM} nor sub")
    try:
        tenant_root(tenant)
    except InvalidInputError as error:
        raise ServiceProblemError(FORBIDDEN, str(error)) from error
    return tenant
