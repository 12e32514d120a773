"""The fleet's devices."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Literal
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from lambdas.console.access import PREFIX
from lambdas.console.asking import Asked, CursorParameter, Limit, asked, new_router
from lambdas.console.cursors import cursor_of, place_of
from lambdas.console.devices import change, detail_of, fleet_of, part_of, quarantined_of
from lambdas.console.documents.devices import ConfirmBody, DeviceDetail, DeviceList
from lambdas.console.effects import Fleet
from lambdas.console.environment import ConsoleApiEnvironment
from lambdas.http.openapi import answers
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from watchkeeper.kinds import AnyPlan

logger = Logger(service=ConsoleApiEnvironment.service, child=True)
router = new_router()
TAG = "Devices"
_DEVICE = f"{PREFIX}/devices/<device>"

SerialNumber = Annotated[
    str, Path(alias="device", min_length=1, max_length=64, description="Its serial number.")
]


@router.get(
    f"{PREFIX}/devices",
    tags=[TAG],
    summary="List devices",
    responses=answers(DeviceList, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def list_devices(
    state: Annotated[
        Literal["any", "quarantined"], Query(description="`quarantined`: all of those at once.")
    ] = "any",
    limit: Limit = 50,
    cursor: CursorParameter = None,
) -> DeviceList:
    """Return devices of the list; `watchkeeper devices list` has those that are on it no more, too."""
    request, fleet, plans = _asked()
    if state == "quarantined":
        return quarantined_of(fleet, request.effects, plans)
    place = place_of(cursor, str) if cursor else None
    found, last = part_of(fleet, request.effects, plans, limit, place)
    return found if last is None else found.model_copy(update={"next": cursor_of(last)})


@router.get(
    _DEVICE,
    tags=[TAG],
    summary="One device",
    responses=answers(DeviceDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND),
)
def show_device(device: SerialNumber) -> DeviceDetail:
    """Return a device with its groups, its certificates, and what is watched of it."""
    request, fleet, plans = _asked()
    return detail_of(fleet, request.effects, plans, unquote(device))


@router.post(
    f"{_DEVICE}/quarantine",
    tags=[TAG],
    summary="Quarantine a device",
    responses=answers(DeviceDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def quarantine_device(device: SerialNumber, body: Annotated[ConfirmBody, Body()]) -> DeviceDetail:
    """Let it do nothing: its connection ends, and it cannot connect until it is restored."""
    return _changed(unquote(device), body, quarantined=True)


@router.post(
    f"{_DEVICE}/restore",
    tags=[TAG],
    summary="End a device's quarantine",
    responses=answers(DeviceDetail, HTTPStatus.OK, HTTPStatus.NOT_FOUND, body=True),
)
def restore_device(device: SerialNumber, body: Annotated[ConfirmBody, Body()]) -> DeviceDetail:
    """Let it do again what it may."""
    return _changed(unquote(device), body, quarantined=False)


def _asked() -> tuple[Asked, Fleet, Mapping[str, AnyPlan]]:
    request = asked(router)
    plans = request.readable()
    return request, fleet_of(request.effects, request.caller, plans), plans


def _changed(serial_number: str, body: ConfirmBody, *, quarantined: bool) -> DeviceDetail:
    request, fleet, plans = _asked()
    if body.confirm != serial_number:
        raise ServiceProblemError(
            INVALID_REQUEST, f"confirm is {body.confirm[:64]!r}: send the serial number, {serial_number!r}"
        )
    change(fleet, serial_number, quarantined=quarantined)
    logger.warning(
        "quarantined" if quarantined else "restored",
        extra={"device": serial_number, "who": request.caller.user},
    )
    return detail_of(fleet, request.effects, plans, serial_number)
