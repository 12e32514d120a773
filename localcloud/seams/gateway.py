"""Ministack's ASGI application, how it finds a service, and what it saves of each."""

import copy
import json
import threading
from collections.abc import Callable
from typing import Any

from ministack import app as _app
from ministack.core import persistence as _persistence
from ministack.core import router as _router
from ministack.services import cloudformation as _cloudformation
from ministack.services import cloudwatch as _cloudwatch
from ministack.services import cloudwatch_logs as _cloudwatch_logs
from ministack.services import stepfunctions as _stepfunctions

from localcloud.seams.replacing import Replaceable

application = _app.app
service_handlers: dict[str, Callable[..., Any]] = _app.SERVICE_HANDLERS
service_patterns: dict[str, Any] = _router.SERVICE_PATTERNS

dispatch = Replaceable(_app, "_dispatch_service_request")
"""Every request of a service's API passes it."""
dispatch_special = Replaceable(_app, "_handle_special_data_plane_request")
"""What comes before it: requests that their host or path gives to a data plane, such as a deployed API."""
detect_service: Callable[..., str] = _router.detect_service
routing_parameters: Callable[..., dict[str, list[str]]] = _app._routing_params


def bucket_of_host(host: str) -> str | None:
    """Return the bucket that a request's host names, None where it names none."""
    bucket: str | None = _app._extract_s3_vhost_bucket(host)
    if not bucket or _app._S3_VHOST_EXCLUDE_RE.search(host) or bucket in _app._NON_S3_VHOST_NAMES:
        return None
    return bucket


def state_key(service: str) -> str | None:
    """Return the name that a service's state is saved under, or None where ministack saves none."""
    config = _app.SERVICE_REGISTRY.get(service)
    return None if config is None else str(config.get("state_key", config["module"]))


class _Copying(threading.local):
    """`copy` of services with a large state: it is copied for everyone but `written`, which changes nothing.

    A copy takes ten times as long as its JSON, and no request is answered meanwhile.
    """

    shares = False

    def deepcopy(self, value: Any) -> Any:
        return value if self.shares else copy.deepcopy(value)


_copying = _Copying()
for _service in (_cloudformation, _cloudwatch, _cloudwatch_logs, _stepfunctions):
    vars(_service)["copy"] = _copying


def states() -> dict[str, Callable[[], Any]]:
    """Return what gives each service's state, by the name that it is saved under."""
    found: dict[str, Callable[[], Any]] = _app._build_persistence_save_dict()
    return found


def written(key: str) -> bytes | None:
    """Return the document of one service's state that ministack loads at the next start.

    None where there is none.

    Raises
    ------
    RuntimeError
        If a background thread changed the state meanwhile.
    """
    _copying.shares = True
    try:
        state = states()[key]()
        if state is None:
            return None
        document = {"__ministack_format__": _persistence._state_format_version(key), "payload": state}
        return json.dumps(document, default=_persistence._json_default).encode()
    finally:
        _copying.shares = False
