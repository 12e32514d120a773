"""The devices of the fleet as AWS IoT has them: things, certificates, and the group of the quarantined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdas.adapters.errors import code_of, translated, unless
from watchkeeper.core import layout
from watchkeeper.core.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_iot import IoTClient

ABSENT = frozenset({"ResourceNotFoundException"})
SETTLING = frozenset({"InvalidRequestException", "DeleteConflictException", "CertificateStateException"})
"""What AWS IoT answers while it has not yet detached what was just detached."""


@dataclass(frozen=True)
class Device:
    """A thing of the fleet.

    Attributes
    ----------
    certificates : dict
        State, such as `ACTIVE`, by certificate id.
    """

    thing: str
    attributes: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    certificates: dict[str, str] = field(default_factory=dict)

    @property
    def serial_number(self) -> str:
        """What it joined with."""
        return self.thing.removeprefix(layout.thing_name(""))

    @property
    def quarantined(self) -> bool:
        """Whether it may do nothing."""
        return layout.QUARANTINED in self.groups


class DeviceRegistry:
    """Reads and changes devices; every change may be made again.

    Parameters
    ----------
    data
        Makes a client of the data plane, by which connections are ended.
    """

    def __init__(self, client: IoTClient, data: Callable[[], Any]) -> None:
        self._client = client
        self._data = data

    def things(self, group: str = layout.DEVICES) -> Iterator[str]:
        """Yield the names of all things of the fleet, or of those in its other group, the quarantine."""
        with translated(f"list the devices of {group}"):
            pages = self._client.get_paginator("list_things_in_thing_group").paginate(thingGroupName=group)
            for page in pages:
                yield from page["things"]

    def device(self, thing: str) -> Device | None:
        """Return a device; None where there is no such thing."""
        found = self._described(thing)
        if found is None:
            return None
        with translated(f"describe {thing}"):
            groups = self._client.get_paginator("list_thing_groups_for_thing").paginate(thingName=thing)
            names = tuple(group["groupName"] for page in groups for group in page["thingGroups"])
            states = {
                each: self._client.describe_certificate(certificateId=each)["certificateDescription"][
                    "status"
                ]
                for each in self.certificates(thing)
            }
        return Device(thing, dict(found.get("attributes", {})), names, dict(states))

    def has(self, thing: str) -> bool:
        """Tell whether there is such a thing."""
        return self._described(thing) is not None

    def _described(self, thing: str) -> Any:
        return unless(ABSENT, f"describe {thing}", lambda: self._client.describe_thing(thingName=thing))

    def certificates(self, thing: str) -> list[str]:
        """Return the ids of a thing's certificates; none where there is no such thing."""
        pages = unless(
            ABSENT,
            f"list the certificates of {thing}",
            lambda: list(self._client.get_paginator("list_thing_principals").paginate(thingName=thing)),
        )
        arns = [arn for page in pages or () for arn in page["principals"]]
        return [arn.rpartition("/")[2] for arn in arns if ":cert/" in arn]

    def set_certificate(self, certificate_id: str, status: str) -> None:
        """Make a certificate `ACTIVE`, `INACTIVE` or `REVOKED`; one that is not active connects nobody."""
        with translated(f"make certificate {certificate_id} {status}"):
            self._client.update_certificate(certificateId=certificate_id, newStatus=status)  # type: ignore[arg-type]

    def retire(self, thing: str, certificate_id: str) -> None:
        """End a certificate of a thing, and take it away.

        Raises
        ------
        UnavailableError
            If AWS IoT has not yet detached it: it is inactive, and what is left is taken away the next time.
        """
        with translated(f"describe certificate {certificate_id}"):
            described = self._client.describe_certificate(certificateId=certificate_id)
        arn = described["certificateDescription"]["certificateArn"]
        self.set_certificate(certificate_id, "INACTIVE")
        with translated(f"take certificate {certificate_id} from {thing}"):
            try:
                for policy in self._client.list_attached_policies(target=arn)["policies"]:
                    self._client.detach_policy(policyName=policy["policyName"], target=arn)
                self._client.detach_thing_principal(thingName=thing, principal=arn)
                self._client.delete_certificate(certificateId=certificate_id, forceDelete=True)
            except ClientError as error:
                if code_of(error) in SETTLING:
                    raise UnavailableError(
                        f"certificate {certificate_id} is being detached: {error}"
                    ) from error
                raise

    def quarantine(self, thing: str) -> None:
        """Let a device do nothing: it is in a group whose policy denies all, and its connection ends.

        The policy is attached to the group here: CloudFormation attaches policies to certificates alone.

        Raises
        ------
        ContractViolationError
            If there is no such thing, or no fleet is deployed.
        """
        with translated(f"quarantine {thing}"):
            group = self._client.describe_thing_group(thingGroupName=layout.QUARANTINED)
            self._client.attach_policy(policyName=layout.QUARANTINED, target=group["thingGroupArn"])
            self._client.add_thing_to_thing_group(thingGroupName=layout.QUARANTINED, thingName=thing)
        self.disconnect(thing)

    def restore(self, thing: str) -> None:
        """Let a device do again what it may; see `quarantine`."""
        with translated(f"restore {thing}"):
            self._client.remove_thing_from_thing_group(thingGroupName=layout.QUARANTINED, thingName=thing)

    def disconnect(self, thing: str) -> None:
        """End the connection that a device has now, if it has one."""
        unless(ABSENT, f"disconnect {thing}", lambda: self._data().delete_connection(clientId=thing))
