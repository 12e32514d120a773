"""Quarantines the device whose behaviour is an anomaly, once an anomaly: a device that people restored stays
so, however often the event of before comes.

Which anomalies come here says the workload's `mitigation`: a rule of the alert bus has its limits.

Permissions
-----------
- `iot:DescribeThing`, `AddThingToThingGroup` on the devices' things; `iot:DescribeThingGroup`,
  `AddThingToThingGroup`, `AttachPolicy` on the quarantine's group; `iot:DeleteConnection` on its clients
- `dynamodb:GetItem`, `PutItem`, `UpdateItem`, `DeleteItem` on the idempotency table; the data key
- `events:PutEvents` on the alert bus
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the queue's consumer grants
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from typing import ClassVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.adapters.device_registry import DeviceRegistry
from lambdas.adapters.event_bus import EventBridgeBus, EventBus
from lambdas.runtime.queue_handler import once, queue_handler
from lambdas.runtime.typed_environment import METRICS_NAMESPACE, TypedEnvironment
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.behaviour import DEVICE
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.telemetry.series import parse_series_key

QUARANTINED_DETAIL_TYPE = "Device Quarantined"


@dataclass(frozen=True, kw_only=True)
class QuarantineDeviceEnvironment(TypedEnvironment):
    """What `quarantine_device` is told when it is deployed."""

    service: ClassVar[str] = "quarantine_device"

    alert_bus: str
    idempotency_table: str


@dataclass(frozen=True)
class Quarantined:
    """What the alert bus is told of a quarantined device."""

    workload: str
    device: str
    series: str
    anomaly_id: str
    severity: float
    interval_start: str


logger = Logger(service=QuarantineDeviceEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=QuarantineDeviceEnvironment.service)


def anomaly_in(body: str) -> tuple[AnomalyEvent, str]:
    """Return the anomaly that a message is about, and its device.

    Raises
    ------
    InvalidInputError
        If it is not of a device's behaviour.
    """
    try:
        event = AnomalyEvent.from_dict(json.loads(body)["detail"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"not an event of an anomaly: {error}", reason="bad_event") from error
    device = dict(parse_series_key(event.series).dimensions).get(DEVICE)
    if device is None:
        raise InvalidInputError(f"series {event.series!r} is of no device", reason="bad_event")
    return event, device


def quarantine(event: AnomalyEvent, device: str, registry: DeviceRegistry, bus: EventBus) -> bool:
    """Quarantine a device of the fleet and tell of it; another client of the broker cannot be: tell False."""
    if not registry.has(device):
        return False
    registry.quarantine(device)
    told = Quarantined(
        event.workload, device, event.series, event.anomaly_id, event.severity, event.interval_start
    )
    bus.put(QUARANTINED_DETAIL_TYPE, [json.dumps(asdict(told))])
    return True


def handle_message(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Quarantine the device of one message's anomaly, unless that was done."""
    environment = QuarantineDeviceEnvironment.from_environ()
    event, device = anomaly_in(record.body)
    action = functools.partial(_quarantine, event, device, environment)
    once(environment.idempotency_table, f"quarantine#{event.anomaly_id}", lambda_context, action)


def _quarantine(event: AnomalyEvent, device: str, environment: QuarantineDeviceEnvironment) -> None:
    told = {"device": device, "workload": event.workload, "anomaly_id": event.anomaly_id}
    registry = DeviceRegistry(clients.iot(), clients.iot_data)
    if not quarantine(event, device, registry, EventBridgeBus(clients.events(), environment.alert_bus)):
        logger.warning("no device of the fleet", extra=told)
        return
    logger.warning("quarantined", extra={**told, "series": event.series, "severity": event.severity})
    metrics.add_dimension("workload", event.workload)
    metrics.add_metric("devices_quarantined", MetricUnit.Count, 1)
    metrics.flush_metrics()


handle = queue_handler(handle_message, QuarantineDeviceEnvironment)
"""The entry point."""
