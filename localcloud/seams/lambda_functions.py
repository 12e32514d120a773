"""Lambda: the dispatch that every invocation passes, and what an executor asks of a function."""

import time
from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime as _runtime
from ministack.services import lambda_svc as _lambda
from ministack.services import sqs as _sqs

from localcloud.seams.replacing import Replaceable

resolve_layer_zip: Callable[..., bytes | None] = _lambda._resolve_layer_zip
xray_trace_id: Callable[..., Any] = _lambda._xray_trace_id_for_invocation
throttle_response: Callable[..., Any] = _lambda._throttle_response
end_workers: Callable[[], None] = _runtime.reset

run_sqs_batch = Replaceable(_lambda, "_run_sqs_batch")
route_async_failure = Replaceable(_lambda, "_route_async_failure")
execute_function = Replaceable(_lambda, "_execute_function_dispatch")


def function_named(name: str) -> dict[str, Any] | None:
    """Return a function's record."""
    found: dict[str, Any] | None = _lambda._functions.get(name)
    return found


def return_messages() -> None:
    """Make visible what functions had of their queues: whoever worked on it is gone.

    It is of the account and region of the request's scope.
    """
    sources = {mapping.get("EventSourceArn") for _, _, mapping in _lambda._iter_all_esms()}
    for queue in _sqs._queues.values():
        if queue["attributes"].get("QueueArn") in sources:
            for message in queue["messages"]:
                if message.get("receive_count"):
                    message["visible_at"] = min(message["visible_at"], time.time())
