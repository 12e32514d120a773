"""Removing devices and claims: AWS IoT holds on to each of them for a while after it was detached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from cli.removal import BusyError, Patience, Removal
from cli.stack_removal import Stacks
from lambdas.adapters.device_registry import SETTLING, DeviceRegistry
from lambdas.adapters.errors import code_of
from watchkeeper.core import layout
from watchkeeper.core.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

FLEET_GROUP = "AWS::IoT::ThingGroup"


def remove_device(
    registry: DeviceRegistry, iot: IoTClient, thing: str, patience: Patience
) -> Iterator[Removal]:
    """Remove a device's certificates, then its thing; tell of each."""
    for certificate_id in registry.certificates(thing):
        yield from _removed(
            patience,
            f"certificate {certificate_id[:12]} of {thing}",
            partial(registry.retire, thing, certificate_id),
        )
    yield from _removed(patience, f"thing {thing}", partial(iot.delete_thing, thingName=thing))


def remove_fleet(session: boto3.Session, patience: Patience | None = None) -> Iterator[Removal]:
    """Remove all devices and claims, and what keeps the fleet's policies from being removed; tell of each."""
    if not Stacks(session).resources(FLEET_GROUP):
        return
    patience = patience or Patience(seconds=60, poll_seconds=1)
    iot = session.client("iot")
    registry = DeviceRegistry(iot, lambda: session.client("iot-data"))
    for thing in list(registry.things()):
        yield from remove_device(registry, iot, thing, patience)
    for policy in (layout.CLAIM_POLICY, layout.DEVICE_POLICY, layout.QUARANTINED):
        for target in _targets(iot, policy):
            iot.detach_policy(policyName=policy, target=target)
            if ":cert/" in target:
                certificate_id = target.rpartition("/")[2]
                yield from _removed(
                    patience, f"certificate {certificate_id[:12]}", partial(_delete, iot, certificate_id)
                )


def _targets(iot: Any, policy: str) -> list[str]:
    try:
        pages = list(iot.get_paginator("list_targets_for_policy").paginate(policyName=policy))
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            return []
        raise
    return [target for page in pages for target in page["targets"]]


def _delete(iot: IoTClient, certificate_id: str) -> None:
    iot.update_certificate(certificateId=certificate_id, newStatus="INACTIVE")
    iot.delete_certificate(certificateId=certificate_id, forceDelete=True)


def _removed(patience: Patience, what: str, action: Callable[[], object]) -> Iterator[Removal]:
    def settled() -> None:
        try:
            action()
        except UnavailableError as error:
            raise BusyError(str(error)) from error
        except ClientError as error:
            if code_of(error) in SETTLING:
                raise BusyError(str(error)) from error
            raise

    removal = patience.remove(what, settled)
    if removal is not None:
        yield removal
