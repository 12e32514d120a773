"""Entity tags: an answer that the caller has already is not sent again."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Any


def with_entity_tag(event: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of a GET with its tag, or 304 where the caller has it.

    A browser keeps the answer, and asks each time whether it is still the same; not one of which it must keep
    nothing.
    """
    method = event["requestContext"]["http"]["method"].upper()
    if method != "GET" or response["statusCode"] != HTTPStatus.OK or not response.get("body"):
        return response
    if response.get("headers", {}).get("Cache-Control") == "no-store":
        return response
    headers = {name: value for name, value in response.get("headers", {}).items() if name.lower() != "etag"}
    digest = hashlib.sha256(response["body"].encode()).hexdigest()[:16]
    own = next((v for name, v in response.get("headers", {}).items() if name.lower() == "etag"), None)
    # what a change is conditional on, then what is new beside it
    tag = f'"{own.strip(chr(34))}.{digest}"' if own else f'"{digest}"'
    headers |= {"ETag": tag, "Cache-Control": "private, no-cache"}
    asked = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    known = [each.strip().removeprefix("W/") for each in asked.get("if-none-match", "").split(",")]
    if tag in known:
        return {**response, "statusCode": int(HTTPStatus.NOT_MODIFIED), "headers": headers, "body": ""}
    return {**response, "headers": headers}
