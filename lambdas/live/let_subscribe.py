"""Decides about each subscription: a caller hears its own channel, and an administrator every one.

AppSync has checked the token, and hands its claims over. What it is answered: nothing where the subscription
may be, else an object with `error`.

Permissions
-----------
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.http.problems import ServiceProblemError
from lambdas.http.roles import Caller, caller_in
from lambdas.live.channels import EVERYTHING, NAMESPACE, channel_of
from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class LetSubscribeEnvironment(TypedEnvironment):
    """What `let_subscribe` is told when it is deployed: nothing of its own."""

    service: ClassVar[str] = "let_subscribe"


logger = Logger(service=LetSubscribeEnvironment.service)
tracer = Tracer(service=LetSubscribeEnvironment.service)

TENANTS = f"/{NAMESPACE}/tenant/"


def decide(event: dict[str, Any]) -> dict[str, str] | None:
    """Answer AppSync's question; a wildcard is heard by administrators alone."""
    info = event["info"]
    if info["operation"] != "SUBSCRIBE":
        return {"error": f"this function decides about subscriptions, not about {info['operation']}"}
    path = "/" + "/".join(info["channel"]["segments"])
    try:
        caller = caller_in((event.get("identity") or {}).get("claims") or {})
    except ServiceProblemError as error:
        return {"error": str(error)}
    if not _hears(caller, path):
        logger.warning("refused", extra={"channel": path, "tenant": caller.tenant, "role": caller.role})
        return {"error": f"{caller.user} of tenant {caller.tenant} may not hear {path}"}
    return None


def _hears(caller: Caller, path: str) -> bool:
    if path == channel_of(caller):
        return True
    return caller.role == "admin" and (path == EVERYTHING or path.startswith(TENANTS))


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, str] | None:
    """The entry point."""
    return decide(event)
