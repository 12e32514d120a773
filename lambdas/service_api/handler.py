"""The anomaly service over HTTP: one request of API Gateway in, one answer out, one line in the log."""

from __future__ import annotations

import json
import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.http.openapi import publish
from lambdas.http.problems import CONTENT_TYPE, ServiceProblemError
from lambdas.http.refusals import Refusals, unexpected
from lambdas.runtime.typed_environment import METRICS_NAMESPACE
from lambdas.service_api.environment import ServiceApiEnvironment
from lambdas.service_api.incoming import normalized
from lambdas.service_api.routes import app, methods_of, takes_body

logger = Logger(service=ServiceApiEnvironment.service)
tracer = Tracer(service=ServiceApiEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=ServiceApiEnvironment.service)

publish(
    app,
    title="Watchkeeper anomaly service",
    purpose="Upload a table, train a detector, validate it, find anomalies.",
)
Refusals(app, logger, methods_of).install()


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda entry point."""
    began = time.perf_counter()
    request: dict[str, Any] = event["requestContext"]
    try:
        response: dict[str, Any] = app.resolve(normalized(event, takes_body), context)
    except ServiceProblemError as problem:
        response = _answer(problem, request["requestId"])
    except Exception:
        logger.exception("a request failed")
        response = _answer(unexpected(), request["requestId"])
    _tell(event, response["statusCode"], time.perf_counter() - began)
    return response


def _answer(problem: ServiceProblemError, instance: str) -> dict[str, Any]:
    return {
        "statusCode": int(problem.status),
        "headers": {"Content-Type": CONTENT_TYPE, **problem.headers},
        "body": json.dumps(problem.document(instance)),
        "isBase64Encoded": False,
    }


def _tell(event: dict[str, Any], status: int, seconds: float) -> None:
    request = event["requestContext"]
    claims = ((request.get("authorizer") or {}).get("jwt") or {}).get("claims") or {}
    logger.info(
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
    metrics.add_metric(f"service_requests_{outcome}", MetricUnit.Count, 1)
