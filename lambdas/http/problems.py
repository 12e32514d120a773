"""Every refusal as a problem of RFC 9457: which there are, their status, and the document that says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from watchkeeper.core.errors import InvalidInputError

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:watchkeeper:problem:"

INVALID_REQUEST = "invalid_request"
NOT_FOUND = "not_found"
METHOD_NOT_ALLOWED = "method_not_allowed"
REQUEST_NOT_FOUND = "request_not_found"
REQUEST_CONFLICT = "request_conflict"
TOO_MANY_TASKS = "too_many_tasks"
UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
REQUEST_TOO_LARGE = "request_too_large"
FORBIDDEN = "forbidden"
PRECONDITION_FAILED = "precondition_failed"
UNAVAILABLE = "unavailable"
INTERNAL = "internal_error"

STATUS = {
    "malformed_request": HTTPStatus.BAD_REQUEST,
    FORBIDDEN: HTTPStatus.FORBIDDEN,
    "bad_link": HTTPStatus.FORBIDDEN,
    "expired_link": HTTPStatus.GONE,
    NOT_FOUND: HTTPStatus.NOT_FOUND,
    PRECONDITION_FAILED: HTTPStatus.PRECONDITION_FAILED,
    "device_not_found": HTTPStatus.NOT_FOUND,
    "fleet_not_deployed": HTTPStatus.NOT_FOUND,
    "backtest_not_found": HTTPStatus.NOT_FOUND,
    "chart_not_found": HTTPStatus.NOT_FOUND,
    "incident_not_found": HTTPStatus.NOT_FOUND,
    "label_not_found": HTTPStatus.NOT_FOUND,
    "run_not_found": HTTPStatus.NOT_FOUND,
    "series_not_found": HTTPStatus.NOT_FOUND,
    "workload_not_found": HTTPStatus.NOT_FOUND,
    REQUEST_NOT_FOUND: HTTPStatus.NOT_FOUND,
    "file_not_found": HTTPStatus.NOT_FOUND,
    "model_not_found": HTTPStatus.NOT_FOUND,
    METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    REQUEST_CONFLICT: HTTPStatus.CONFLICT,
    "ambiguous_file": HTTPStatus.CONFLICT,
    "conflict": HTTPStatus.CONFLICT,
    "unknown_transaction": HTTPStatus.NOT_FOUND,
    REQUEST_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "file_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    TOO_MANY_TASKS: HTTPStatus.TOO_MANY_REQUESTS,
    INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Status by problem; every other one is 422: the request is well formed, its content cannot be used."""


class Fault(BaseModel):
    """One wrong field of a request."""

    model_config = ConfigDict(extra="forbid")

    pointer: str = Field(description="JSON pointer of the field, or the name of the parameter.")
    detail: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="`urn:watchkeeper:problem:NAME`.")
    title: str
    status: int
    detail: str = Field(description="What is wrong, with the value and what is allowed.")
    instance: str = Field(description="Id of the HTTP request, as it is in the access log.")
    errors: list[Fault] = Field(default=[], description="The wrong fields, where there are several.")


@dataclass
class ServiceProblemError(Exception):
    """A refusal of a request.

    Parameters
    ----------
    name
        The problem: a key of `STATUS`, or another one, which then is a 422.
    """

    name: str
    detail: str
    faults: Sequence[Fault] = ()
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, error: InvalidInputError) -> ServiceProblemError:
        """Return the problem that an error of the domain is."""
        return cls(error.reason, str(error))

    @property
    def status(self) -> HTTPStatus:
        """HTTP status."""
        return STATUS.get(self.name, HTTPStatus.UNPROCESSABLE_ENTITY)

    def document(self, instance: str) -> dict[str, Any]:
        """Return the problem document."""
        return Problem(
            type=f"{TYPE_PREFIX}{self.name}",
            title=self.name.replace("_", " ").capitalize(),
            status=self.status,
            detail=self.detail,
            instance=instance,
            errors=list(self.faults),
        ).model_dump()
