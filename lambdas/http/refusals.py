"""What goes wrong in a route becomes a problem document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)

from lambdas.http.problems import (
    CONTENT_TYPE,
    INTERNAL,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Fault,
    ServiceProblemError,
)
from watchkeeper.core.errors import InvalidInputError, UnavailableError

RETRY_AFTER_SECONDS = 5
_PATTERN = (
    "is not of the form project/file/name (of an upload with .csv or .parquet): letters, digits and "
    "!_.*'()=@+,- and space, no '.' or '..' part"
)
_SHOWN_LENGTH = 60


class Refusals:
    """The answers to what routes raise.

    Parameters
    ----------
    methods
        Which methods a path has; empty for an unknown path.
    documents
        Where the API is described.
    """

    def __init__(
        self,
        app: APIGatewayHttpResolver,
        logger: Logger,
        methods: Callable[[str], list[str]],
        documents: str = "/docs",
    ) -> None:
        self._app, self._logger, self._methods, self._documents = app, logger, methods, documents

    def install(self) -> None:
        """Register an answer for each kind of error."""
        answers: list[tuple[type[Exception], Callable[[Any], ServiceProblemError]]] = [
            (ServiceProblemError, lambda problem: problem),
            (InvalidInputError, ServiceProblemError.of),
            (RequestValidationError, lambda error: _wrong_fields(error.errors())),
            (RequestUnsupportedContentType, self._unsupported),
            (UnavailableError, self._unavailable),
            (NotFoundError, self._unknown_path),
            (Exception, self._unexpected),
        ]
        for kind, answer in answers:
            self._app.exception_handler(kind)(self._answering(answer))

    def _answering(
        self, answer: Callable[[Any], ServiceProblemError]
    ) -> Callable[[Exception], Response[str]]:
        def respond(error: Exception) -> Response[str]:
            problem = answer(error)
            request = self._app.current_event.raw_event["requestContext"]["requestId"]
            return Response(
                problem.status,
                CONTENT_TYPE,
                json.dumps(problem.document(request)),
                headers={**problem.headers},
            )

        return respond

    def _unsupported(self, error: RequestUnsupportedContentType) -> ServiceProblemError:
        return ServiceProblemError(UNSUPPORTED_MEDIA_TYPE, "the body must be application/json")

    def _unavailable(self, error: UnavailableError) -> ServiceProblemError:
        self._logger.warning("unavailable", exc_info=error)
        return ServiceProblemError(
            UNAVAILABLE,
            "something that the service needs does not answer; send the same request again",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )

    def _unknown_path(self, error: NotFoundError) -> ServiceProblemError:
        path = self._app.current_event.path
        allowed = self._methods(path)
        if not allowed:
            return ServiceProblemError(NOT_FOUND, f"there is nothing at {path[:200]}; see {self._documents}")
        return ServiceProblemError(
            METHOD_NOT_ALLOWED,
            f"{path[:200]} takes {' and '.join(allowed)}",
            headers={"Allow": ", ".join(allowed)},
        )

    def _unexpected(self, error: Exception) -> ServiceProblemError:
        self._logger.exception("a request failed", exc_info=error)
        return unexpected()


def unexpected() -> ServiceProblemError:
    """Return the problem of a fault of the service."""
    return ServiceProblemError(INTERNAL, "the service failed; its log has the reason under this instance")


def _wrong_fields(errors: Iterable[Any]) -> ServiceProblemError:
    errors = list(errors)
    if any(error["type"] == "json_invalid" for error in errors):
        return ServiceProblemError("malformed_request", "the body is not JSON")
    faults = [Fault(pointer=_pointer(error["loc"]), detail=_detail(error)) for error in errors]
    sentences = "; ".join(f"{fault.pointer or 'body'}: {fault.detail}" for fault in faults[:5])
    return ServiceProblemError(INVALID_REQUEST, sentences, faults)


def _pointer(location: Iterable[Any]) -> str:
    place, *path = map(str, location)
    path = [part for part in path if part not in ("univariate", "multivariate")]
    if place == "body":
        return "".join(f"/{part}" for part in path)
    return path[-1] if path else place


def _detail(error: dict[str, Any]) -> str:
    if error["type"] == "string_pattern_mismatch":
        return f"{_shown(error.get('input'))} {_PATTERN}"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] in ("missing", "value_error") or isinstance(error.get("input"), (dict, list)):
        return message
    return f"{_shown(error.get('input'))}: {message}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"
