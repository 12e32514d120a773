"""The fleet's devices as the console shows them: the list, the registry, and what is watched of each.

A page of the list asks AWS IoT once, for who is quarantined: what it says of a single thing is limited to ten
requests a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from lambdas.adapters.allow_list import ListedDevice
from lambdas.console.documents.devices import (
    CertificateItem,
    DeviceDetail,
    DeviceItem,
    DeviceList,
    DeviceSeries,
)
from lambdas.console.effects import ConsoleEffects, Fleet
from lambdas.console.incidents import Wanted, listed
from lambdas.fleet.standing import standing_of
from lambdas.http.problems import FORBIDDEN, ServiceProblemError
from lambdas.http.roles import Caller
from watchkeeper.core import layout
from watchkeeper.core.behaviour import DEVICE, TIMESTAMP
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH, format_instant
from watchkeeper.kinds import AnyPlan
from watchkeeper.stream.health import end_of, healths_of, series_at
from watchkeeper.telemetry.series import key_of

DEVICE_NOT_FOUND, NO_FLEET = "device_not_found", "fleet_not_deployed"
OPEN_INCIDENTS = 200
"""So many of the newest open ones are looked at."""


def fleet_of(effects: ConsoleEffects, caller: Caller, plans: Mapping[str, AnyPlan]) -> Fleet:
    """Return the fleet, which has no tenant: it is for administrators, and who reads what watches it.

    Raises
    ------
    ServiceProblemError
        If none is deployed, or the caller may not see it (`forbidden`).
    """
    if caller.role != "admin" and not list(watching(plans.values())):
        raise ServiceProblemError(
            FORBIDDEN,
            f"devices are shown to administrators, and to readers of a workload of kind device_behaviour: "
            f"tenant {caller.tenant} reads none",
        )
    if effects.fleet is None:
        raise ServiceProblemError(NO_FLEET, 'no fleet is deployed: "fleet" is "off" in cdk.json')
    return effects.fleet


def watching(plans: Iterable[AnyPlan]) -> Iterator[WorkloadPlan]:
    """Yield the workloads that watch the behaviour of devices."""
    for plan in plans:
        if not isinstance(plan, WorkloadPlan):
            continue
        if plan.dimensions == (DEVICE,) and plan.timestamp.field == TIMESTAMP:
            yield plan


def part_of(
    fleet: Fleet, effects: ConsoleEffects, plans: Mapping[str, AnyPlan], most: int, after: str | None
) -> tuple[DeviceList, str | None]:
    """Return devices of the list, and after which the next part begins."""
    entries, last = fleet.listed.part(most, after)
    return _listed(fleet, effects, plans, entries), last


def quarantined_of(fleet: Fleet, effects: ConsoleEffects, plans: Mapping[str, AnyPlan]) -> DeviceList:
    """Return those that are quarantined."""
    serials = sorted(map(_serial_number, fleet.registry.things(layout.QUARANTINED)))
    found = effects.for_each(fleet.listed.find, serials)
    entries = [entry or ListedDevice(serial, "-") for serial, entry in zip(serials, found, strict=True)]
    return _listed(fleet, effects, plans, entries)


def detail_of(
    fleet: Fleet, effects: ConsoleEffects, plans: Mapping[str, AnyPlan], serial_number: str
) -> DeviceDetail:
    """Return one device.

    Raises
    ------
    ServiceProblemError
        If it is neither on the list nor in the registry.
    """
    thing = layout.thing_name(serial_number)
    entry, device = fleet.listed.find(serial_number), fleet.registry.device(thing)
    if entry is None and device is None:
        raise _unknown(serial_number)
    series = [each for plan in watching(plans.values()) for each in _series_of(effects, plan, thing)]
    attributes = device.attributes if device else {}
    return DeviceDetail(
        serial_number=serial_number,
        thing=thing,
        site=entry.site if entry else attributes.get("site", "-"),
        state=standing_of(entry, quarantined=device is not None and device.quarantined),
        last_seen_at=_last_seen(effects, plans, [thing])[thing],
        open_incidents=_incidents(effects, plans)[thing],
        groups=sorted(device.groups) if device else [],
        certificates=[
            CertificateItem(certificate_id=each, status=status)
            for each, status in (device.certificates if device else {}).items()
        ],
        series=series,
    )


def change(fleet: Fleet, serial_number: str, *, quarantined: bool) -> None:
    """Let a device do nothing, or again what it may, as `watchkeeper devices quarantine` and `restore`.

    Raises
    ------
    ServiceProblemError
        If it has not joined.
    """
    thing = layout.thing_name(serial_number)
    if not fleet.registry.has(thing):
        raise _unknown(serial_number)
    if quarantined:
        fleet.registry.quarantine(thing)
    else:
        fleet.registry.restore(thing)


def _listed(
    fleet: Fleet, effects: ConsoleEffects, plans: Mapping[str, AnyPlan], entries: Iterable[ListedDevice]
) -> DeviceList:
    entries = list(entries)
    held = set(fleet.registry.things(layout.QUARANTINED))
    things = {entry.serial_number: layout.thing_name(entry.serial_number) for entry in entries}
    seen, incidents = _last_seen(effects, plans, things.values()), _incidents(effects, plans)
    return DeviceList(
        items=[
            DeviceItem(
                serial_number=entry.serial_number,
                thing=things[entry.serial_number],
                site=entry.site,
                state=standing_of(entry, quarantined=things[entry.serial_number] in held),
                last_seen_at=seen[things[entry.serial_number]],
                open_incidents=incidents[things[entry.serial_number]],
            )
            for entry in entries
        ],
        quarantined=len(held),
        watched_by=[plan.workload for plan in watching(plans.values())],
    )


def _last_seen(
    effects: ConsoleEffects, plans: Mapping[str, AnyPlan], things: Iterable[str]
) -> dict[str, str | None]:
    last = dict.fromkeys(things, 0)
    for plan in watching(plans.values()):
        wanted = _keys(plan, last)
        for head in effects.heads(plan.workload):
            starts = head.newest["start"]
            for position, name in enumerate(head.series):
                if name in wanted and starts[position] > 0:
                    end = int(starts[position]) + plan.interval_seconds
                    last[wanted[name]] = max(last[wanted[name]], end)
    return {thing: format_instant(end) if end else None for thing, end in last.items()}


def _series_of(effects: ConsoleEffects, plan: WorkloadPlan, thing: str) -> Iterator[DeviceSeries]:
    heads = effects.heads(plan.workload)
    end = end_of(heads)
    if end is None:
        return
    wanted = _keys(plan, [thing])
    anomalous = effects.week(plan, EPOCH + timedelta(seconds=end)).last
    for head in heads:
        positions = [at for at, name in enumerate(head.series) if name in wanted]
        if not positions:
            continue
        for each in series_at(head, plan, healths_of(head, plan, anomalous, end), positions, end):
            yield DeviceSeries(
                workload=plan.workload,
                series=each.series,
                measure=each.series.partition("|")[0],
                health=each.health,
                last_start=each.last_start,
                last_value=each.last_value,
            )


def _keys(plan: WorkloadPlan, things: Iterable[str]) -> dict[str, str]:
    """Return the thing by the series that a workload may have of it."""
    return {
        key_of(measure.name, plan.dimensions, (thing,)): thing
        for thing in things
        for measure in plan.measures
    }


def _incidents(effects: ConsoleEffects, plans: Mapping[str, AnyPlan]) -> Counter[str]:
    names = [plan.workload for plan in watching(plans.values())]
    if not names:
        return Counter()
    found, _ = listed(effects.incidents, names, Wanted("open"), OPEN_INCIDENTS, for_each=effects.for_each)
    prefix = f"{DEVICE}:"
    return Counter(
        place.removeprefix(prefix) for each in found for place in each.places if place.startswith(prefix)
    )


def _serial_number(thing: str) -> str:
    return thing.removeprefix(layout.thing_name(""))


def _unknown(serial_number: str) -> ServiceProblemError:
    return ServiceProblemError(DEVICE_NOT_FOUND, f"no device {serial_number[:64]!r}")
