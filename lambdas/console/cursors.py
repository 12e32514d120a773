"""Where a list goes on, as text that says nothing to who reads it."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError


def cursor_of(place: Any) -> str:
    """Return the cursor of a place, which is JSON."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode()


def place_of(cursor: str, kind: type[Any], name: str = "cursor") -> Any:
    """Return the place that a cursor means.

    Raises
    ------
    ServiceProblemError
        If it is not one of an answer.
    """
    try:
        place = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _refusal(name, cursor) from error
    if not isinstance(place, kind):
        raise _refusal(name, cursor)
    return place


def _refusal(name: str, cursor: str) -> ServiceProblemError:
    return ServiceProblemError(INVALID_REQUEST, f"{name} {cursor[:40]!r} is not the `next` of an answer")
