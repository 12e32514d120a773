"""A function's log stream, and the metrics that it carries in embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import math
import threading
import time
from collections.abc import Iterable
from typing import Any

from localcloud.lambda_runtime.worker import FunctionSpec, Outcome
from localcloud.seams import cloudwatch, cloudwatch_logs

_lock = threading.Lock()


def invocation_lines(spec: FunctionSpec, request_id: str, outcome: Outcome) -> list[str]:
    """Return the log of one invocation, with the platform's START, END and REPORT lines."""
    billed = math.ceil(outcome.duration_ms)
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {outcome.duration_ms:.2f} ms"
        f"\tBilled Duration: {billed} ms\tMemory Size: {spec.memory_mb} MB"
    )
    if outcome.init_ms is not None:
        report += f"\tInit Duration: {outcome.init_ms:.2f} ms"
    start = f"START RequestId: {request_id} Version: {spec.version}"
    return [start, *outcome.lines, f"END RequestId: {request_id}", report]


def write(group: str, stream: str, lines: Iterable[str], function_lines: Iterable[str]) -> None:
    """Append lines to a log stream (made when absent); record the metrics among the function's own lines."""
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line, "ingestionTime": now} for line in lines]
    cloudwatch_logs.append_log_events(_stream(group, stream, now), events)
    plain = [{"timestamp": now, "message": event["message"]} for event in events]
    cloudwatch_logs.fanout_to_subscription_filters(group, stream, plain)
    for line in function_lines:
        if line.startswith("{") and '"_aws"' in line:
            record_embedded_metrics(line)


def record_embedded_metrics(line: str) -> int:
    """Record the metrics of one line and return how many there were; a line in another format has none."""
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return 0
    recorded = 0
    for directive in directives:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names if name in document}
            for metric in directive.get("Metrics", ()):
                values = document.get(metric["Name"], ())
                for value in values if isinstance(values, list) else [values]:
                    cloudwatch.record_metric(
                        directive["Namespace"],
                        metric["Name"],
                        float(value),
                        metric.get("Unit", "None"),
                        dimensions,
                    )
                    recorded += 1
    return recorded


def _stream(group: str, stream: str, now: int) -> dict[str, Any]:
    with _lock:
        if group not in cloudwatch_logs.log_groups:
            cloudwatch_logs.log_groups[group] = {
                "arn": cloudwatch_logs.make_group_arn(group),
                "creationTime": now,
                "retentionInDays": None,
                "tags": {},
                "subscriptionFilters": {},
                "streams": {},
            }
        streams = cloudwatch_logs.log_groups[group]["streams"]
        if stream not in streams:
            streams[stream] = {
                "events": [],
                "uploadSequenceToken": "1",
                "creationTime": now,
                "firstEventTimestamp": None,
                "lastEventTimestamp": None,
                "lastIngestionTime": None,
            }
        found: dict[str, Any] = streams[stream]
        return found
