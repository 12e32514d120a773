"""The HTTP request as API Gateway hands it over, made ready for the routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from lambdas.http.body import read_body
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError

MAX_BODY_BYTES = 65_536
"""Bodies are small: files go to S3."""
SEGMENTS = ("/files/", "/requests/")
"""What follows is one segment: a file's key, or a request's id."""
TASKS = "/anomaly_detection/"


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
        text, document = read_body(event, MAX_BODY_BYTES, "upload files by POST /files")
        if not isinstance(document, dict):
            raise ServiceProblemError(INVALID_REQUEST, "the body must be a JSON object")
        normal |= {"body": text, "isBase64Encoded": False}
    return normal


def _path(path: str) -> str:
    for place in SEGMENTS:
        if path.startswith(place) and len(path) > len(place):
            return f"{place}{quote(unquote(path.removeprefix(place)), safe='')}"
    if path.startswith(TASKS):
        return path.rstrip("/") + "/"
    return path.rstrip("/") or "/"
