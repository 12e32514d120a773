"""What the service refuses, and tasks that fail, as exceptions."""

from __future__ import annotations

import json
from typing import Any

from watchkeeper.core.errors import InvalidInputError

_PREFIX = "urn:watchkeeper:problem:"


class ServiceProblemError(InvalidInputError):
    """The service refused a request: `reason` is the problem's name, such as `file_not_found`.

    Parameters
    ----------
    status
        HTTP status.
    errors
        The wrong fields, each with `pointer` and `detail`.
    instance
        Id of the request in the service's log.
    """

    def __init__(
        self, detail: str, *, reason: str, status: int, errors: list[dict[str, str]], instance: str
    ) -> None:
        super().__init__(detail, reason=reason)
        self.status = status
        self.errors = errors
        self.instance = instance

    @classmethod
    def of_answer(cls, status: int, body: bytes) -> ServiceProblemError:
        """Read a problem document, or what API Gateway says itself: `{"message": …}`."""
        try:
            document: dict[str, Any] = json.loads(body)
        except ValueError:
            document = {}
        if "type" in document:
            reason = str(document["type"]).removeprefix(_PREFIX)
        else:
            reason = {401: "unauthorized", 403: "forbidden", 429: "too_many_requests"}.get(status, "refused")
        detail = document.get("detail") or document.get("message") or body[:200].decode(errors="replace")
        return cls(
            f"{detail}",
            reason=reason,
            status=status,
            errors=document.get("errors", []),
            instance=document.get("instance", ""),
        )


class TaskFailedError(InvalidInputError):
    """A task ended as failed: `reason` is the problem's name, such as `non_numeric_value`.

    Parameters
    ----------
    request
        The request's `_id`.
    """

    def __init__(self, message: str, *, reason: str, request: str) -> None:
        super().__init__(message, reason=reason)
        self.request = request
