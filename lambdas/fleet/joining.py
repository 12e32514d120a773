"""Whether a device may join the fleet, or have another certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.adapters.allow_list import ListedDevice
from watchkeeper.core import layout

SERIAL_NUMBER, SITE = "SerialNumber", "Site"
"""Parameters of the provisioning template: the device says the first, the list the second."""


class Joinable(Protocol):
    """The list of devices, as `AllowList` keeps it."""

    def use(self, serial_number: str, certificate_id: str) -> ListedDevice | None:
        """Note that a device joins; None where it may not."""

    def renew(self, serial_number: str, certificate_id: str) -> ListedDevice | None:
        """Note that a device gets another certificate; None where it may not."""


class Registered(Protocol):
    """The registry of devices, as `DeviceRegistry` has it."""

    def certificates(self, thing: str) -> list[str]:
        """Return the ids of a thing's certificates; none where there is no such thing."""


@dataclass(frozen=True)
class JoinRequest:
    """What AWS IoT asks a provisioning hook.

    Attributes
    ----------
    claim_id : str or None
        Id of the certificate with which the device is connected.
    certificate_id : str
        Of the certificate that it would have.
    client_id : str
        As it is connected.
    serial_number : str
        That it says.
    """

    claim_id: str | None
    certificate_id: str
    client_id: str
    serial_number: str

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> JoinRequest:
        """Read the hook's event; what is missing is empty, and refused like everything that is not known."""
        parameters = event.get("parameters") or {}
        return cls(
            event.get("claimCertificateId"),
            str(event.get("certificateId", "")),
            str(event.get("clientId", "")),
            str(parameters.get(SERIAL_NUMBER, "")),
        )


def decide(request: JoinRequest, listed: Joinable, registry: Registered) -> ListedDevice | None:
    """Return the entry of a device that may have the certificate; None refuses it.

    Who is connected as a thing asks for another certificate of that thing, and must hold one of its own now:
    so whoever has a claim cannot take a device over that has joined.
    """
    thing = layout.thing_name(request.serial_number)
    if request.client_id == thing:
        if request.claim_id is None or request.claim_id not in registry.certificates(thing):
            return None
        return listed.renew(request.serial_number, request.certificate_id)
    return listed.use(request.serial_number, request.certificate_id)
