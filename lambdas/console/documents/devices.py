"""The fleet's devices."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from lambdas.console.documents.answer import Answer, Instant, Listed
from lambdas.fleet.standing import Standing
from watchkeeper.stream.health import HealthName


class DeviceItem(Answer):
    """A device of the list, and what became of it."""

    serial_number: str
    thing: str = Field(description="Its thing in AWS IoT, which is its MQTT client id.")
    site: str
    state: Standing = Field(description="`quarantined` counts before what the list says.")
    last_seen_at: Instant | None = Field(
        description="End of the last interval in which it did something that is watched; null: never, or "
        "no workload watches the behaviour of devices."
    )
    open_incidents: int = Field(description="Of its behaviour, among the newest 200 that are open.")


class DeviceList(Listed[DeviceItem]):
    """Devices of the list, in no order."""

    quarantined: int = Field(description="How many of the whole fleet are quarantined.")
    watched_by: list[str] = Field(description="Workloads that watch the behaviour of devices.")


class CertificateItem(Answer):
    """A certificate that a device holds."""

    certificate_id: str
    status: str = Field(description="As AWS IoT has it: `ACTIVE`, `INACTIVE`, `REVOKED`, …")


class DeviceSeries(Answer):
    """A behaviour or metric of a device."""

    workload: str
    series: str
    measure: str
    health: HealthName
    last_start: Instant | None = Field(description="Of its last closed interval with records.")
    last_value: float | None


class DeviceDetail(DeviceItem):
    """One device."""

    groups: list[str] = Field(description="Its thing groups.")
    certificates: list[CertificateItem]
    series: list[DeviceSeries] = Field(description="What is watched of it.")


class ConfirmBody(BaseModel):
    """What a device may do changes: said twice."""

    model_config = ConfigDict(extra="forbid")

    confirm: str = Field(description="The serial number once more.")
