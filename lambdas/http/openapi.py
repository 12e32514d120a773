"""What the OpenAPI document says of every route: its answers, its security, its title."""

from __future__ import annotations

import functools
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer
from pydantic import BaseModel, ConfigDict

from lambdas.http.problems import CONTENT_TYPE, Problem

VERSION = "1"
REFUSALS = """Every refusal is a problem document (RFC 9457, `application/problem+json`). API Gateway itself
answers a request without a valid token (401) or over its limit (429) with `{"message": …}`."""
SECURITY_SCHEME = "token"

OF_A_TASK = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.TOO_MANY_REQUESTS,
)
"""Refusals of a POST of a task beside those of any body."""
_BODY = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
_ANY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_GATEWAY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)


class GatewayMessage(BaseModel):
    """An answer of API Gateway itself."""

    model_config = ConfigDict(extra="allow")

    message: str


def answers(
    document: type[BaseModel], status: HTTPStatus, *refusals: HTTPStatus, body: bool = False
) -> dict[int, Any]:
    """Return the answers of a route as the OpenAPI document has them.

    Parameters
    ----------
    document
        The answer when all is well, with `status`.
    refusals
        Statuses of problems beside those that every route may have.
    body
        Whether the route takes a body.
    """
    taking = _BODY if body else ()
    problems = {*_ANY, *taking, *refusals}
    return {
        status.value: {
            "description": status.phrase,
            "content": {"application/json": {"model": document}},
        },
        **{
            each.value: {
                "description": each.phrase,
                "content": {
                    **({"application/json": {"model": GatewayMessage}} if each in _GATEWAY else {}),
                    **({CONTENT_TYPE: {"model": Problem}} if each in problems else {}),
                },
            }
            for each in sorted({*_GATEWAY, *problems})
        },
    }


def publish(app: APIGatewayHttpResolver, *, title: str, purpose: str, prefix: str = "") -> None:
    """Add the document and its page to the routes; call it when all routes are there.

    Parameters
    ----------
    purpose
        What the API is for, in a sentence.
    prefix
        Where `/openapi.json` and `/docs` are.
    """
    described: dict[str, Any] = {
        "title": title,
        "version": VERSION,
        "description": f"{purpose}\n\n{REFUSALS}",
        "security_schemes": {SECURITY_SCHEME: HTTPBearer(bearerFormat="JWT")},
        "security": [{SECURITY_SCHEME: []}],
    }

    @functools.cache
    def document() -> str:
        return app.get_openapi_json_schema(**described)

    @app.get(f"{prefix}/openapi.json", include_in_schema=False)
    def show_document() -> Any:
        return Response(200, "application/json", document())

    app.enable_swagger(path=f"{prefix}/docs", persist_authorization=True, compress=True, **described)
