"""The anomaly service over HTTP."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.http.openapi import publish
from lambdas.http.refusals import Refusals
from lambdas.http.serving import HttpFunction
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
function = HttpFunction(app, logger, metrics, lambda event: normalized(event, takes_body))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda entry point."""
    return function.answer(event, context)
