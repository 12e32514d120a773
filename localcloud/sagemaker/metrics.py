"""CloudWatch metrics of jobs and endpoints, collected in memory and put in batches by one thread."""

import time
from collections import Counter, defaultdict
from typing import Any

from localcloud.authorization.needs import Need
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.sender import Sender

_VALUES = 150  # of one datum; PutMetricData takes as many
_DATA = 100

Dimensions = tuple[tuple[str, str], ...]


def metrics_need(resource: str) -> Need:
    """Return what a role needs for the metrics of its jobs or endpoints, such as of `TrainingJob`."""
    return Need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": f"/aws/sagemaker/{resource}s"})


class MetricSender(Sender):
    """Collects values and puts them every second, one datum a metric."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "metrics")
        self._values: defaultdict[tuple[str, str, str, Dimensions], Counter[float]] = defaultdict(Counter)

    def add(self, namespace: str, name: str, value: float, unit: str, dimensions: Dimensions) -> None:
        """Add one value of a metric."""
        with self._lock:
            self._values[namespace, name, unit, dimensions][value] += 1

    def send(self) -> None:
        """Put everything that was collected since the last time."""
        with self._lock:
            values, self._values = self._values, defaultdict(Counter)
        now = time.time()
        by_namespace: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for (namespace, name, unit, dimensions), counts in values.items():
            items = list(counts.items())
            for start in range(0, len(items), _VALUES):
                part = items[start : start + _VALUES]
                by_namespace[namespace].append(
                    {
                        "MetricName": name,
                        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
                        "Timestamp": now,
                        "Values": [value for value, _ in part],
                        "Counts": [float(count) for _, count in part],
                        "Unit": unit,
                    }
                )
        for namespace, data in by_namespace.items():
            for start in range(0, len(data), _DATA):
                self._clients.client("cloudwatch").put_metric_data(
                    Namespace=namespace, MetricData=data[start : start + _DATA]
                )
