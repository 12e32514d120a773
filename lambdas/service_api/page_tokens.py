"""Where the next page of a listing begins, as text that callers hand back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from lambdas.service_api.problems import INVALID_REQUEST, ServiceProblemError
from watchkeeper.service.request_item import Attribute, partition_key

_KEYS = {Attribute.PK.value, Attribute.SK.value, Attribute.CREATED_AT.value}


def page_token(start: Mapping[str, str]) -> str:
    """Return the token of the page that begins after a key of the index."""
    text = json.dumps({name: start[name] for name in sorted(_KEYS - {Attribute.PK.value})})
    return base64.urlsafe_b64encode(text.encode()).decode()


def page_start(token: str, tenant: str) -> dict[str, str]:
    """Return the key that a token means; the tenant is the caller's, whatever the token says.

    Raises
    ------
    ServiceProblemError
        If it is not a token of this service.
    """
    try:
        start = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _refused(token) from error
    if not isinstance(start, dict) or not all(isinstance(value, str) and value for value in start.values()):
        raise _refused(token)
    key = {**start, Attribute.PK.value: partition_key(tenant)}
    if key.keys() != _KEYS:
        raise _refused(token)
    return key


def _refused(token: str) -> ServiceProblemError:
    return ServiceProblemError(
        INVALID_REQUEST, f"page_token {token[:40]!r} is not the next_page_token of an answer"
    )
