"""When and on what a model is trained, and what serves it."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from watchkeeper.spec.fields import Duration, EndpointInstance, JobInstance, Schedule
from watchkeeper.spec.section import Section

DEFAULT_CAPTURE_PERCENT = 20


class Training(Section):
    """When and on what the model is trained."""

    instance_type: JobInstance = "ml.m5.large"
    """Instance of every training, processing and transform job."""
    schedule: Schedule | None = None
    """EventBridge expression, rate(…) or cron(…) in UTC; without one, training is started by hand."""


class Serverless(Section):
    """A serverless endpoint: no instances, no data capture, one container."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    """Memory of one concurrent invocation."""
    max_concurrency: int = Field(default=5, ge=1, le=200)
    """Concurrent invocations."""


class Rollout(Section):
    """How traffic moves to a new model (blue/green)."""

    traffic: Literal["all_at_once", "canary"] = "all_at_once"
    """All at once, or first a part of it."""
    canary_percent: int = Field(default=10, ge=1, le=50)
    """The first part, of the new fleet's capacity."""
    wait: Duration = timedelta(minutes=5)
    """How long the alarms watch before the next step or the end; at most 1h."""

    @field_validator("wait")
    @classmethod
    def _is_at_most_an_hour(cls, wait: timedelta) -> timedelta:
        if wait > timedelta(hours=1):
            raise ValueError("must be at most 1h")
        return wait


class Rollback(Section):
    """What makes a deployment roll back."""

    server_errors_per_minute: int = Field(default=1, ge=1)
    """Invocations that fail with 5XX."""
    latency_milliseconds: int = Field(default=5000, ge=1)
    """Mean latency of the model."""


class Endpoint(Section):
    """What answers requests with the model: instances, or serverless."""

    serverless: Serverless | None = None
    """Serverless in place of instances."""
    instance_type: EndpointInstance = "ml.m5.large"
    """Instance of the endpoint."""
    instance_count: int = Field(default=1, ge=1, le=100)
    """Instances of the endpoint."""
    capture_percent: int = Field(
        default_factory=lambda validated: 0 if validated.get("serverless") else DEFAULT_CAPTURE_PERCENT,
        ge=0,
        le=100,
    )
    """Share of the requests whose rows and scores are captured to S3; 20, or 0 where serverless."""
    rollout: Rollout = Rollout()
    """How traffic moves to a new model."""
    rollback: Rollback = Rollback()
    """What makes a deployment roll back."""

    @field_validator("instance_type", "instance_count")
    @classmethod
    def _has_instances(cls, value: str | int, info: ValidationInfo) -> str | int:
        if info.data.get("serverless") is not None:
            raise ValueError("must be left out beside serverless: such an endpoint has no instances")
        return value

    @field_validator("capture_percent")
    @classmethod
    def _can_capture(cls, percent: int, info: ValidationInfo) -> int:
        if percent and info.data.get("serverless") is not None:
            raise ValueError("must be 0 beside serverless: AWS captures nothing there")
        return percent

    @field_validator("rollout")
    @classmethod
    def _has_room_for_a_canary(cls, rollout: Rollout, info: ValidationInfo) -> Rollout:
        if rollout.traffic == "canary" and info.data.get("serverless") is not None:
            raise ValueError("must be all_at_once beside serverless")
        if rollout.traffic == "canary" and info.data.get("instance_count", 2) < 2:
            raise ValueError(
                "canary needs instance_count of at least 2: a canary is at most half of the fleet"
            )
        return rollout
