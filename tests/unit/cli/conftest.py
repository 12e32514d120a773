"""An AWS of its own for each test, and a workload's plan."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from watchkeeper.command.screen import console
from watchkeeper.core.plan import MeasurePlan, TimestampPlan, WorkloadPlan


@pytest.fixture(autouse=True)
def wide_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console is made once a process, with the width that there was then."""
    monkeypatch.setattr(console, "_width", 200)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.Session()


@pytest.fixture
def plan() -> WorkloadPlan:
    return WorkloadPlan(
        workload="water_flow",
        timestamp=TimestampPlan("Time"),
        measures=(MeasurePlan("flow", "Water flow [l/s]"),),
        interval_seconds=3600,
    )
