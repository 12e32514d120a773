"""Events as AWS sends them, from `tests/events`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parents[2] / "events"


def golden_event(name: str) -> dict[str, Any]:
    """Return `tests/events/NAME.json`."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event
