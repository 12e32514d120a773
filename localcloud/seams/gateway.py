"""Ministack's ASGI application, how it finds a service, and what it saves of each."""

from collections.abc import Callable
from typing import Any

from ministack import app as _app
from ministack.core import persistence as _persistence
from ministack.core import router as _router

application = _app.app
service_handlers: dict[str, Callable[..., Any]] = _app.SERVICE_HANDLERS
service_patterns: dict[str, Any] = _router.SERVICE_PATTERNS


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
