"""The provisioning hook: AWS IoT asks it before a device joins, and before one has another certificate.

Permissions
-----------
- `dynamodb:GetItem`, `UpdateItem` on the table of devices; the data key
- `iot:ListThingPrincipals` on the devices' things
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.adapters.allow_list import AllowList
from lambdas.adapters.device_registry import DeviceRegistry
from lambdas.fleet.joining import SITE, JoinRequest, decide
from lambdas.runtime.typed_environment import METRICS_NAMESPACE, TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class AllowJoiningEnvironment(TypedEnvironment):
    """What `allow_joining` is told when it is deployed."""

    service: ClassVar[str] = "allow_joining"

    devices_table: str


logger = Logger(service=AllowJoiningEnvironment.service)
tracer = Tracer(service=AllowJoiningEnvironment.service)
metrics = Metrics(namespace=METRICS_NAMESPACE, service=AllowJoiningEnvironment.service)


@metrics.log_metrics
@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The entry point; the answer is what AWS IoT wants of a hook."""
    environment = AllowJoiningEnvironment.from_environ()
    request = JoinRequest.from_event(event)
    device = decide(
        request,
        AllowList(clients.dynamodb(), environment.devices_table),
        DeviceRegistry(clients.iot(), clients.iot_data),
    )
    metrics.add_metric("devices_refused" if device is None else "devices_joined", MetricUnit.Count, 1)
    told = {"serial_number": request.serial_number, "client": request.client_id, "claim": request.claim_id}
    if device is None:
        logger.warning("refused", extra=told)
        return {"allowProvisioning": False}
    logger.info("joins", extra={**told, "certificate": request.certificate_id, "site": device.site})
    return {"allowProvisioning": True, "parameterOverrides": {SITE: device.site}}
