"""What the data plane refuses, by the types that AWS's own clients of Event APIs know."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class EventsError(Exception):
    """A request or message that AppSync refuses.

    Parameters
    ----------
    kind
        AWS's `errorType`.
    status
        Of the HTTP endpoint.
    """

    def __init__(self, kind: str, message: str = "", status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message or kind)
        self.kind = kind
        self.message = message
        self.status = status

    @property
    def document(self) -> dict[str, Any]:
        """The error as an answer and a message have it."""
        return {"errorType": self.kind} | ({"message": self.message} if self.message else {})


def bad_request(message: str) -> EventsError:
    """Return what AWS says of a request that is wrong in itself."""
    return EventsError("BadRequestException", message)


def unauthorized(message: str = "") -> EventsError:
    """Return what AWS says to who may not."""
    return EventsError("UnauthorizedException", message, HTTPStatus.UNAUTHORIZED)
