"""Where alerts go and how often."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from watchkeeper.core.severity import MAX_SEVERITY, THRESHOLD_SEVERITY
from watchkeeper.spec.fields import Duration, Name
from watchkeeper.spec.section import Section, refuse_repeats


class Subscription(Section):
    """Who receives a route's alerts."""

    protocol: Literal["email", "https", "sqs"]
    """How alerts are delivered."""
    endpoint: str = Field(min_length=1)
    """E-mail address, https URL, or ARN of the queue."""

    @field_validator("endpoint")
    @classmethod
    def _fits_the_protocol(cls, endpoint: str, info: ValidationInfo) -> str:
        wanted = {
            "email": ("@" in endpoint.strip("@") and " " not in endpoint, "an e-mail address"),
            "https": (
                endpoint.startswith("https://") and len(endpoint) > len("https://"),
                "a URL that begins with https://",
            ),
            "sqs": (endpoint.startswith("arn:") and ":sqs:" in endpoint, "the ARN of an SQS queue"),
        }
        fits, description = wanted.get(info.data.get("protocol", ""), (True, ""))
        if not fits:
            raise ValueError(f"must be {description}")
        return endpoint


class Route(Section):
    """Anomalies of at least a severity go to a channel."""

    channel: Name
    """Name of the channel; subscribers filter on it."""
    severity_at_least: float = Field(default=THRESHOLD_SEVERITY, ge=0, le=MAX_SEVERITY)
    """From 0 to 100; without it, the threshold's."""
    subscription: Subscription | None = None
    """Who receives them; without one, whoever subscribes to the alert topic."""


class Silence(Section):
    """When a series, and the workload as a whole, says nothing for too long."""

    after: Duration
    """Without a reading for so long, a series is an anomaly and the workload has an alarm."""
    severity: float = Field(default=80.0, ge=THRESHOLD_SEVERITY, le=MAX_SEVERITY)
    """Of that anomaly."""

    @field_validator("after")
    @classmethod
    def _can_be_watched(cls, after: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= after <= timedelta(days=7):
            raise ValueError("must be from 1m to 7d: an alarm looks back no further")
        return after


class Alerts(Section):
    """Where alerts go and how often."""

    throttle: Duration = timedelta(hours=1)
    """After an alert, how long the same series raises no other one on that route."""
    routes: list[Route] = Field(default_factory=list, max_length=20)
    """Where alerts go."""

    @field_validator("routes")
    @classmethod
    def _have_different_channels(cls, routes: list[Route]) -> list[Route]:
        refuse_repeats([route.channel for route in routes], "channel")
        return routes
