"""Ministack's ASGI application, how it finds a service, and what it saves of each."""

from collections.abc import Callable
from typing import Any

from ministack import app as _app
from ministack.core import persistence as _persistence
from ministack.core import router as _router

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


def states() -> dict[str, Callable[[], Any]]:
    """Return what gives each service's state, by the name that it is saved under."""
    found: dict[str, Callable[[], Any]] = _app._build_persistence_save_dict()
    return found


def saved_form(key: str, state: Any) -> dict[str, Any]:
    """Return the document of one service's state that ministack loads at the next start."""
    return {"__ministack_format__": _persistence._state_format_version(key), "payload": state}


json_default: Callable[[Any], Any] = _persistence._json_default
"""What `json.dumps` needs to write a state."""
