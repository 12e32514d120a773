"""Where the alerts of a workload are delivered that SNS does not deliver itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document


@dataclass(frozen=True)
class Target(Document, name="target of alerts"):
    """A webhook, Slack's webhook, or an event bus."""

    by: Literal["webhook", "slack", "event_bus"]
    url: str = ""
    """Of a webhook; Slack's is the secret."""
    secret: str = ""
    """Name of the secret."""
    format: Literal["json", "markdown", "text"] = "json"
    """Of a webhook's body."""
    bus_arn: str = ""


@dataclass(frozen=True)
class Targets(Document, name="targets of alerts"):
    """The targets of a workload's routes."""

    by_channel: Mapping[str, Target]
