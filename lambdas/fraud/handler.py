"""The fraud API over HTTP."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.fraud.environment import FraudApiEnvironment
from lambdas.fraud.requests import MAX_BODY_BYTES
from lambdas.fraud.routes import PREFIX, TRANSACTIONS, app, methods_of
from lambdas.http.body import read_body
from lambdas.http.openapi import publish
from lambdas.http.refusals import Refusals
from lambdas.http.serving import HttpFunction
from lambdas.runtime.typed_environment import METRICS_NAMESPACE

logger = Logger(service=FraudApiEnvironment.service)
tracer = Tracer(service=FraudApiEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=FraudApiEnvironment.service)

_ENDS = ("/label", "/neighbourhood")
"""What may follow an id."""


def normalized(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with one spelling of its path, in which an id is one segment, and a body of text."""
    path: str = event["rawPath"].rstrip("/")
    if path.startswith(f"{TRANSACTIONS}/"):
        rest = path.removeprefix(f"{TRANSACTIONS}/")
        end = next((each for each in _ENDS if rest.endswith(each)), "")
        path = f"{TRANSACTIONS}/{quote(unquote(rest.removesuffix(end)), safe='')}{end}"
    method = event["requestContext"]["http"]["method"].upper()
    if method != "POST" or "POST" not in methods_of(path):
        return {**event, "rawPath": path}
    text, _ = read_body(event, MAX_BODY_BYTES, "send fewer transactions at once")
    return {**event, "rawPath": path, "body": text, "isBase64Encoded": False}


publish(
    app,
    title="Watchkeeper fraud service",
    purpose="Ask whether a transaction is fraud, and say later what it was.",
    prefix=PREFIX,
)
Refusals(app, logger, methods_of, f"{PREFIX}/docs").install()
function = HttpFunction(app, logger, metrics, normalized)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda entry point."""
    return function.answer(event, context)
