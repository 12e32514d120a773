"""The project's alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdas.adapters.errors import translated
from watchkeeper.core import layout

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


def alarms_on(client: CloudWatchClient) -> list[str]:
    """Return the names of the project's alarms that are on."""
    with translated("list alarms"):
        pages = client.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=layout.STACK_PREFIX, StateValue="ALARM"
        )
        return sorted(
            alarm["AlarmName"]
            for page in pages
            for alarm in [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])]
        )


def is_of(alarm: str, workload: str) -> bool:
    """Tell whether an alarm is a workload's own."""
    return alarm.startswith(f"{layout.workload_stack(workload)}-")
