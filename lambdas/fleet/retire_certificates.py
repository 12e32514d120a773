"""Ends a device's former certificates when it says, by the new one, that it has it.

The rule gives the certificate of whoever published, as AWS IoT knows it: so nobody can end another's.

Permissions
-----------
- `iot:ListThingPrincipals` on the devices' things; `iot:ListAttachedPolicies`, which has no resource to name
- `iot:DescribeCertificate`, `UpdateCertificate`, `DetachPolicy`, `DetachThingPrincipal`,
  `DeleteCertificate` on certificates
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.adapters import clients
from lambdas.adapters.device_registry import DeviceRegistry
from lambdas.runtime.typed_environment import TypedEnvironment


@dataclass(frozen=True, kw_only=True)
class RetireCertificatesEnvironment(TypedEnvironment):
    """What `retire_certificates` is told when it is deployed: nothing of its own."""

    service: ClassVar[str] = "retire_certificates"


logger = Logger(service=RetireCertificatesEnvironment.service)
tracer = Tracer(service=RetireCertificatesEnvironment.service)


def retire_others(registry: DeviceRegistry, thing: str, certificate_id: str) -> list[str]:
    """End all certificates of a thing but one; return those that were ended.

    A certificate that is not the thing's ends none: it was ended itself meanwhile.
    """
    held = registry.certificates(thing)
    if certificate_id not in held:
        return []
    others = [each for each in held if each != certificate_id]
    for each in others:  # none may connect any more, before the slower removal
        registry.set_certificate(each, "INACTIVE")
    for each in others:
        registry.retire(thing, each)
    return others


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
def handle(event: dict[str, Any], context: LambdaContext) -> None:
    """The entry point."""
    thing, certificate_id = str(event["thing"]), str(event["certificate_id"])
    retired = retire_others(DeviceRegistry(clients.iot(), clients.iot_data), thing, certificate_id)
    logger.info("rotated", extra={"device": thing, "certificate": certificate_id, "retired": retired})
