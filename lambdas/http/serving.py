"""One request of API Gateway in, one answer out, one line in the log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.http.problems import CONTENT_TYPE, ServiceProblemError
from lambdas.http.refusals import unexpected


@dataclass(frozen=True)
class HttpFunction:
    """What a Lambda function behind an HTTP API does.

    Parameters
    ----------
    normalized
        Returns the event with one spelling of its path and a body that is text; raises
        `ServiceProblemError` for a body that no route takes.
    """

    app: APIGatewayHttpResolver
    logger: Logger
    metrics: Metrics
    normalized: Callable[[dict[str, Any]], dict[str, Any]]

    def answer(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Return the answer to a request."""
        began = time.perf_counter()
        request: dict[str, Any] = event["requestContext"]
        try:
            response: dict[str, Any] = self.app.resolve(self.normalized(event), context)
        except ServiceProblemError as problem:
            response = _answer(problem, request["requestId"])
        except Exception:
            self.logger.exception("a request failed")
            response = _answer(unexpected(), request["requestId"])
        self._tell(event, response["statusCode"], time.perf_counter() - began)
        return response

    def _tell(self, event: dict[str, Any], status: int, seconds: float) -> None:
        request = event["requestContext"]
        claims = ((request.get("authorizer") or {}).get("jwt") or {}).get("claims") or {}
        self.logger.info(
            "answered",
            extra={
                "http_request_id": request["requestId"],
                "method": request["http"]["method"],
                "path": event["rawPath"][:500],
                "status": status,
                "subject": claims.get("sub"),
                "milliseconds": round(1000 * seconds, 1),
            },
        )
        outcome = "failed" if status >= 500 else "refused" if status >= 400 else "answered"
        self.metrics.add_metric(f"service_requests_{outcome}", MetricUnit.Count, 1)


def _answer(problem: ServiceProblemError, instance: str) -> dict[str, Any]:
    return {
        "statusCode": int(problem.status),
        "headers": {"Content-Type": CONTENT_TYPE, **problem.headers},
        "body": json.dumps(problem.document(instance)),
        "isBase64Encoded": False,
    }
