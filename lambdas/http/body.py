"""The body of a request as API Gateway hands it over."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from lambdas.http.problems import REQUEST_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, ServiceProblemError

_MALFORMED = "malformed_request"


def read_body(event: dict[str, Any], most_bytes: int, remedy: str) -> tuple[str, Any]:
    """Return the text of a body and the JSON that it is.

    Parameters
    ----------
    event
        As API Gateway hands it over.
    most_bytes
        More is refused.
    remedy
        What to do about one that is larger.

    Raises
    ------
    ServiceProblemError
        If the body is too large, not JSON, or not text in UTF-8.
    """
    too_large = ServiceProblemError(REQUEST_TOO_LARGE, f"the body has more than {most_bytes} bytes; {remedy}")
    body: str = event.get("body") or ""
    if len(body) > most_bytes * 4 // 3 + 4:
        raise too_large
    try:
        content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        text = content.decode()
    except (binascii.Error, UnicodeError) as error:
        raise ServiceProblemError(_MALFORMED, "the body is not text in UTF-8") from error
    if len(content) > most_bytes:
        raise too_large
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
    return text, document


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a value of JSON")
