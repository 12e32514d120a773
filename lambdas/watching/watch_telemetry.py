"""Which workloads had telemetry and have none now: counted in a metric, and named in the log.

A workload counts from its first record until two weeks after its last one: so long CloudWatch lists a metric.
One function for all of them costs less than an alarm each, and knows a workload that has not begun.

Permissions
-----------
- `cloudwatch:ListMetrics`, `GetMetricData`, which have no resource
- `ssm:GetParameter` on `parameter/watchkeeper/*/plan`
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.adapters import clients
from lambdas.adapters.errors import translated
from lambdas.adapters.plan_store import AnomalyPlans, ParameterPlanStore
from lambdas.runtime.typed_environment import METRICS_NAMESPACE, TypedEnvironment
from lambdas.scoring import environment as scoring
from watchkeeper.core.errors import InvalidInputError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

SILENT_METRIC = "silent_workloads"
INTERVALS, LEAST_SECONDS = 3, 3600
"""Silence is so many intervals without a record, and at least so long."""
QUERIES = 500
"""Most of one GetMetricData."""
_RECORDS = "records"


@dataclass(frozen=True, kw_only=True)
class WatchTelemetryEnvironment(TypedEnvironment):
    """`watch_telemetry` is told nothing when it is deployed."""

    service: ClassVar[str] = "watch_telemetry"


class Records(Protocol):
    """How many records were scored."""

    def workloads(self) -> list[str]:
        """Return the workloads that had records in the last two weeks."""

    def since(self, workloads: Sequence[str], begin: datetime, end: datetime) -> dict[str, float]:
        """Return the number of each workload's records between two times."""


@dataclass(frozen=True)
class MetricRecords:
    """`Records` by the metrics of `score_telemetry`."""

    client: CloudWatchClient

    def workloads(self) -> list[str]:
        service = {"Name": "service", "Value": scoring.ScoreTelemetryEnvironment.service}
        with translated("list the metrics of scoring"):
            pages: Iterable[Any] = self.client.get_paginator("list_metrics").paginate(
                Namespace=METRICS_NAMESPACE,
                MetricName=_RECORDS,
                Dimensions=[service],  # type: ignore[list-item]
            )
            return sorted(
                {
                    dimension["Value"]
                    for page in pages
                    for metric in page["Metrics"]
                    for dimension in metric["Dimensions"]
                    if dimension["Name"] == "workload"
                }
            )

    def since(self, workloads: Sequence[str], begin: datetime, end: datetime) -> dict[str, float]:
        period = int((end - begin).total_seconds())
        found: dict[str, float] = dict.fromkeys(workloads, 0.0)
        for first in range(0, len(workloads), QUERIES):
            some = workloads[first : first + QUERIES]
            queries: list[Any] = [
                {"Id": f"w{number}", "Label": name, "MetricStat": _stat(name, period)}
                for number, name in enumerate(some)
            ]
            with translated("read the metrics of scoring"):
                pages: Iterable[Any] = self.client.get_paginator("get_metric_data").paginate(
                    MetricDataQueries=queries, StartTime=begin, EndTime=end
                )
                for page in pages:
                    for result in page["MetricDataResults"]:
                        found[some[int(result["Id"][1:])]] += sum(result["Values"])
        return found


def _stat(workload: str, period: int) -> dict[str, Any]:
    dimensions = {"service": scoring.ScoreTelemetryEnvironment.service, "workload": workload}
    return {
        "Metric": {
            "Namespace": METRICS_NAMESPACE,
            "MetricName": _RECORDS,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        },
        "Period": period,
        "Stat": "Sum",
    }


def silent_workloads(records: Records, plans: AnomalyPlans, now: datetime) -> list[str]:
    """Return the workloads that had records, are still deployed, and have had none for too long."""
    by_seconds: dict[int, list[str]] = defaultdict(list)
    for name, seconds in _watched(records.workloads(), plans):
        by_seconds[seconds].append(name)
    counted = {
        name: count
        for seconds, names in by_seconds.items()
        for name, count in records.since(names, now - timedelta(seconds=seconds), now).items()
    }
    return sorted(name for name, count in counted.items() if not count)


def _watched(names: Iterable[str], plans: AnomalyPlans) -> Iterator[tuple[str, int]]:
    for name in names:
        try:
            plan = plans.plan_of(name)
        except InvalidInputError:  # removed, or of another kind now
            continue
        # CloudWatch takes whole minutes as a period.
        yield name, 60 * -(-max(LEAST_SECONDS, INTERVALS * plan.interval_seconds) // 60)


logger = Logger(service=WatchTelemetryEnvironment.service)
tracer = Tracer(service=WatchTelemetryEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=WatchTelemetryEnvironment.service)


@functools.cache
def sources() -> tuple[Records, AnomalyPlans]:
    """Return what this process reads."""
    return MetricRecords(clients.cloudwatch()), ParameterPlanStore(clients.ssm())


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: Any) -> None:
    """Count the silent workloads, and name them."""
    silent = silent_workloads(*sources(), datetime.now(timezone.utc))
    if silent:
        logger.warning("no telemetry", extra={"workloads": silent})
    metrics.add_metric(SILENT_METRIC, MetricUnit.Count, len(silent))
    metrics.flush_metrics()
