"""`watchkeeper devices`: the fleet's list and registry, and a device's own side of joining and rotating."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from rich.table import Table

from cli.device import broker_of
from cli.fleet import joining
from cli.fleet.removing import remove_device
from cli.removal import Patience
from cli.replay import Authority, Host, Port
from cli.specs import AsJson
from cli.stacks import FLEET, STORAGE, Deployment
from lambdas.adapters.allow_list import AllowList, ListedDevice
from lambdas.adapters.device_registry import Device, DeviceRegistry
from lambdas.fleet.standing import standing_of
from watchkeeper.command.screen import complain, console, done, say
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError

devices = typer.Typer(
    name="devices",
    help="The fleet: who may join, who has joined, rotation, revocation and quarantine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
SerialNumber = Annotated[str, typer.Argument(help="Serial number of a device.")]
COLUMNS = ("serial_number", "site")
"""Of the list's file."""


@devices.command()
def allow(
    file: Annotated[Path, typer.Argument(help="CSV with the columns serial_number and site.")],
    again: Annotated[
        bool, typer.Option("--again", help="Also those that joined before, or were revoked.")
    ] = False,
) -> None:
    """Let devices join: each serial number once."""
    listed = _allow_list(boto3.Session())
    entries = list(_entries(file))
    new = sum(listed.allow(entry, again=again) for entry in entries)
    done(f"{new} devices of {file} may join")
    if new < len(entries):
        say(f"{len(entries) - new} were on the list before and stay as they are; --again lets them join anew")


@devices.command()
def claim(
    folder: Annotated[Path, typer.Argument(help="Where the certificate and its key are written.")],
) -> None:
    """Make a claim: a certificate by which devices on the list may join, and nothing else."""
    session = boto3.Session()
    Deployment(session).output(FLEET, "ProvisioningTemplateName")
    iot = session.client("iot")
    made = iot.create_keys_and_certificate(setAsActive=True)
    iot.attach_policy(policyName=layout.CLAIM_POLICY, target=made["certificateArn"])
    joining.keep(folder, made["certificatePem"], made["keyPair"]["PrivateKey"])
    done(f"claim {made['certificateId'][:12]} written to {folder}")
    say("whoever has it can ask for the place of a listed device: keep it as you keep a password")


@devices.command()
def join(
    folder: Annotated[Path, typer.Argument(help="Where the device's own files are written.")],
    serial_number: Annotated[str, typer.Option(help="Of the device; it must be on the list.")],
    claim: Annotated[Path, typer.Option(help="Folder of the claim.")],
    host: Host = None,
    port: Port = None,
    authority: Authority = None,
) -> None:
    """Join the fleet as a device does: by a claim, over MQTT."""
    ListedDevice(serial_number, "-")
    broker = broker_of(boto3.Session(), host, port, authority)
    thing = joining.join(broker, claim, serial_number, folder)
    done(f"{thing} has joined; its certificate is in {folder}")
    say(f"it publishes to {layout.device_topic(thing, '…')}")


@devices.command()
def rotate(
    folder: Annotated[Path, typer.Argument(help="Folder of the device's files.")],
    host: Host = None,
    port: Port = None,
    authority: Authority = None,
) -> None:
    """Have another certificate as a device does; the former one ends when the new one is in use."""
    broker = broker_of(boto3.Session(), host, port, authority)
    certificate_id = joining.rotate(broker, folder)
    done(f"certificate {certificate_id[:12]} is in {folder}; the former one ends")


@devices.command("list")
def list_devices(as_json: AsJson = False) -> None:
    """List the devices: those of the list, and what became of them."""
    session = boto3.Session()
    registry = _registry(session)
    things = {device.serial_number: device for device in _of_registry(registry)}
    listed = {entry.serial_number: entry for entry in _allow_list(session).devices()}
    rows = [
        _row(serial_number, listed.get(serial_number), things.get(serial_number))
        for serial_number in sorted({*things, *listed})
    ]
    if as_json:
        console.print_json(json.dumps(rows))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("serial number", "site", "state", "certificates"):
        table.add_column(name)
    for row in rows:
        table.add_row(row["serial_number"], row["site"], row["state"], _told(row["certificates"]))
    console.print(table)
    counts = Counter(str(row["state"]) for row in rows)
    say(", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "no devices")


@devices.command()
def show(serial_number: SerialNumber, as_json: AsJson = False) -> None:
    """Show one device."""
    session = boto3.Session()
    entry = _allow_list(session).find(serial_number)
    device = _registry(session).device(layout.thing_name(serial_number))
    if entry is None and device is None:
        raise _unknown(serial_number)
    row = _row(serial_number, entry, device)
    if as_json:
        console.print_json(json.dumps({**row, "device": asdict(device) if device else None}))
        return
    for name, value in row.items():
        console.print(f"{name}: {_told(value) if name == 'certificates' else value}", markup=False)


@devices.command()
def quarantine(serial_number: SerialNumber) -> None:
    """Let a device do nothing: its connection ends, and it cannot connect until it is restored."""
    session = boto3.Session()
    _registry(session).quarantine(_thing_of(session, serial_number))
    done(f"{serial_number} is quarantined; `watchkeeper devices restore {serial_number}` ends it")


@devices.command()
def restore(serial_number: SerialNumber) -> None:
    """Let a quarantined device do again what it may."""
    session = boto3.Session()
    _registry(session).restore(_thing_of(session, serial_number))
    done(f"{serial_number} is restored")


@devices.command()
def revoke(serial_number: SerialNumber) -> None:
    """Revoke a device's certificates: it connects no more, and joins only when it is allowed again."""
    session = boto3.Session()
    registry, thing = _registry(session), _thing_of(session, serial_number)
    _allow_list(session).revoke(serial_number)
    held = registry.certificates(thing)
    for certificate_id in held:
        registry.set_certificate(certificate_id, "REVOKED")
    registry.disconnect(thing)
    done(f"{serial_number}: revoked certificates: {len(held)}")


@devices.command()
def remove(serial_number: SerialNumber) -> None:
    """Remove a device: its certificates and its thing; it joins only when it is allowed again."""
    session = boto3.Session()
    thing = _thing_of(session, serial_number)
    _allow_list(session).revoke(serial_number)
    for removal in remove_device(_registry(session), session.client("iot"), thing, Patience(seconds=60)):
        if removal.reason is None:
            done(f"removed {removal.what}")
        else:
            complain(f"left: {removal.what}: {removal.reason}; run the same command again")


def _entries(file: Path) -> Iterator[ListedDevice]:
    if not file.is_file():
        raise InvalidInputError(
            f"{file}: no such file; it should be CSV with the columns serial_number, site"
        )
    with file.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.DictReader(stream)
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise InvalidInputError(f"{file}: no column {', '.join(missing)}; needed: {', '.join(COLUMNS)}")
        for row in reader:
            yield _entry(row, f"{file}, line {reader.line_num}")


def _entry(row: dict[str, str | None], where: str) -> ListedDevice:
    try:
        serial_number, site = (str(row[name] or "").strip() for name in COLUMNS)
        return ListedDevice(serial_number, site)
    except InvalidInputError as error:
        raise InvalidInputError(f"{where}: {error}") from error


def _allow_list(session: boto3.Session) -> AllowList:
    return AllowList(session.client("dynamodb"), Deployment(session).output(STORAGE, "DevicesTableName"))


def _registry(session: boto3.Session) -> DeviceRegistry:
    return DeviceRegistry(session.client("iot"), lambda: session.client("iot-data"))


def _of_registry(registry: DeviceRegistry) -> Iterable[Device]:
    return (device for thing in registry.things() if (device := registry.device(thing)) is not None)


def _thing_of(session: boto3.Session, serial_number: str) -> str:
    thing = layout.thing_name(serial_number)
    if not _registry(session).has(thing):
        raise _unknown(serial_number)
    return thing


def _unknown(serial_number: str) -> InvalidInputError:
    return InvalidInputError(f"no device {serial_number!r}; `watchkeeper devices list` has all")


def _row(serial_number: str, entry: ListedDevice | None, device: Device | None) -> dict[str, Any]:
    site = entry.site if entry else device.attributes.get("site", "") if device else ""
    return {
        "serial_number": serial_number,
        "site": site,
        "state": standing_of(entry, quarantined=device is not None and device.quarantined),
        "certificates": device.certificates if device else {},
    }


def _told(certificates: dict[str, str]) -> str:
    return ", ".join(f"{each[:12]} {status}" for each, status in certificates.items())
