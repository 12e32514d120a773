"""Which workloads are silent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.watching import watch_telemetry
from lambdas.watching.watch_telemetry import MetricRecords, silent_workloads
from watchkeeper.core.errors import InvalidInputError

NOW = datetime(2026, 1, 8, tzinfo=timezone.utc)


class Plans:
    """Plans of workloads by their intervals."""

    def __init__(self, **intervals: int) -> None:
        self.intervals = intervals

    def plan_of(self, workload: str) -> Any:
        if workload not in self.intervals:
            raise InvalidInputError(f"no workload {workload}")
        return SimpleNamespace(interval_seconds=self.intervals[workload])

    def fraud_plan_of(self, workload: str) -> Any:
        raise AssertionError

    def any_plan_of(self, workload: str) -> Any:
        raise AssertionError

    def alerts_of(self, workload: str) -> Any:
        raise AssertionError

    def deployed_plan_of(self, workload: str, digest: str) -> Any:
        raise AssertionError


class LastRecords:
    """Records by when the last one came."""

    def __init__(self, **ago: timedelta) -> None:
        self.ago = ago

    def workloads(self) -> list[str]:
        return sorted(self.ago)

    def since(self, workloads: Sequence[str], begin: datetime, end: datetime) -> dict[str, float]:
        return {name: float(begin <= end - self.ago[name]) for name in workloads}


def test_silence_is_three_intervals_and_at_least_an_hour() -> None:
    minutes, hours = timedelta(minutes=50), timedelta(hours=2)
    records = LastRecords(fast=minutes, stopped=hours, hourly=hours, dead_hourly=2 * hours)

    silent = silent_workloads(records, Plans(fast=60, stopped=60, hourly=3600, dead_hourly=3600), NOW)

    assert silent == ["dead_hourly", "stopped"]


def test_a_removed_workload_is_not_missed() -> None:
    assert silent_workloads(LastRecords(removed=timedelta(days=3)), Plans(), NOW) == []


def test_records_are_read_from_the_metrics_of_scoring(aws: SimpleNamespace) -> None:
    now = datetime.now(timezone.utc)
    for name, ago, count in (("water_flow", 5, 7.0), ("pump", 600, 3.0)):
        clients.cloudwatch().put_metric_data(
            Namespace="Watchkeeper",
            MetricData=[
                {
                    "MetricName": "records",
                    "Dimensions": [
                        {"Name": "service", "Value": "score_telemetry"},
                        {"Name": "workload", "Value": name},
                    ],
                    "Timestamp": now - timedelta(minutes=ago),
                    "Value": count,
                }
            ],
        )
    records = MetricRecords(clients.cloudwatch())

    names = records.workloads()

    assert names == ["pump", "water_flow"]
    assert records.since(names, now - timedelta(hours=1), now) == {"pump": 0.0, "water_flow": 7.0}


def test_the_number_is_a_metric_and_the_names_are_logged(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    silent = LastRecords(pump=timedelta(days=1)), Plans(pump=60)
    monkeypatch.setattr(watch_telemetry, "sources", lambda: silent)
    context = SimpleNamespace(
        function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="id"
    )

    watch_telemetry.handle({}, context)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    (metric,) = (line for line in lines if "_aws" in line)
    assert metric["silent_workloads"] == [1.0]
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
    assert [vars(record)["workloads"] for record in caplog.records] == [["pump"]]
