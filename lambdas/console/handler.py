"""The console's API over HTTP."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.console.access import PREFIX, methods_of, one_spelling, route_of
from lambdas.console.app import app
from lambdas.console.environment import ConsoleApiEnvironment
from lambdas.http.body import read_body
from lambdas.http.entity_tags import with_entity_tag
from lambdas.http.refusals import Refusals
from lambdas.http.roles import caller_of
from lambdas.http.serving import HttpFunction
from lambdas.runtime.typed_environment import METRICS_NAMESPACE

MAX_BODY_BYTES = 200_000
"""Of a workload's file, which is the largest of what is sent."""

logger = Logger(service=ConsoleApiEnvironment.service)
tracer = Tracer(service=ConsoleApiEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=ConsoleApiEnvironment.service)


def normalized(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with one spelling of its path and a body of text, if the caller's role is enough."""
    path = one_spelling(event["rawPath"])
    method = event["requestContext"]["http"]["method"].upper()
    event = {**event, "rawPath": path}
    route = route_of(method, path)
    if route is None:
        return event
    caller_of(event).let_only(route.role, route.summary)
    if method != "POST":
        return event
    text, _ = read_body(event, MAX_BODY_BYTES, "send less at once")
    return {**event, "body": text, "isBase64Encoded": False}


Refusals(app, logger, methods_of, f"{PREFIX}/docs").install()
function = HttpFunction(app, logger, metrics, normalized)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda entry point."""
    return with_entity_tag(event, function.answer(event, context))
