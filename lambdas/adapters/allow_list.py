"""The list of devices that may join: a serial number joins once, and again when it is allowed again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from lambdas.adapters.errors import CONDITION_FAILED, translated, unless
from watchkeeper.core.errors import InvalidInputError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

State = Literal["allowed", "joined", "revoked"]
SERIAL_NUMBER = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a serial number may be: it is part of the thing's name and of its topics."""
SITE = re.compile(r"[A-Za-z0-9_.,@/:#=\[\]-]{1,128}")
"""What a site may be: what AWS IoT takes as an attribute of a thing."""


@dataclass(frozen=True)
class ListedDevice:
    """One entry of the list."""

    serial_number: str
    site: str
    state: State = "allowed"
    certificate_id: str | None = None
    """With which it joined."""

    def __post_init__(self) -> None:
        """Refuse what could be no thing's name or attribute: `InvalidInputError`."""
        if not SERIAL_NUMBER.fullmatch(self.serial_number):
            raise InvalidInputError(
                f"serial_number {self.serial_number!r}: 1 to 64 letters, digits, hyphens and underscores"
            )
        if not SITE.fullmatch(self.site):
            raise InvalidInputError(
                f"site {self.site!r} of {self.serial_number}: 1 to 128 letters, digits and _.,@/:#=[]-"
            )


class AllowList:
    """The list in its table.

    Parameters
    ----------
    table
        Name; an item a serial number.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def allow(self, device: ListedDevice, *, again: bool = False) -> bool:
        """Let a device join; tell whether that is new, which it is not of one that has been allowed before.

        Parameters
        ----------
        again
            One that joined, or was revoked, may join once more.
        """
        condition: dict[str, Any] = (
            {} if again else {"ConditionExpression": "attribute_not_exists(serial_number)"}
        )
        item = {"serial_number": device.serial_number, "site": device.site, "listed_as": "allowed"}
        return self._written(
            f"allow {device.serial_number}", self._client.put_item, Item=_texts(item), **condition
        )

    def use(self, serial_number: str, certificate_id: str) -> ListedDevice | None:
        """Note that a device joins with a certificate, and return its entry; None where it may not.

        The same certificate may ask again: an answer is lost now and then.
        """
        joins = self._written(
            f"let {serial_number} join",
            self._client.update_item,
            Key=_texts({"serial_number": serial_number}),
            UpdateExpression="SET listed_as = :joined, certificate_id = :certificate",
            ConditionExpression=(
                "listed_as = :allowed OR (listed_as = :joined AND certificate_id = :certificate)"
            ),
            ExpressionAttributeValues=_texts(
                {":joined": "joined", ":allowed": "allowed", ":certificate": certificate_id}
            ),
        )
        return self.find(serial_number) if joins else None

    def renew(self, serial_number: str, certificate_id: str) -> ListedDevice | None:
        """Note that a device that joined gets another certificate; None where it may not."""
        renews = self._written(
            f"renew {serial_number}",
            self._client.update_item,
            Key=_texts({"serial_number": serial_number}),
            UpdateExpression="SET certificate_id = :certificate",
            ConditionExpression="listed_as = :joined",
            ExpressionAttributeValues=_texts({":joined": "joined", ":certificate": certificate_id}),
        )
        return self.find(serial_number) if renews else None

    def revoke(self, serial_number: str) -> bool:
        """Let a device join no more until it is allowed again; tell whether it is on the list."""
        return self._written(
            f"revoke {serial_number}",
            self._client.update_item,
            Key=_texts({"serial_number": serial_number}),
            UpdateExpression="SET listed_as = :revoked",
            ConditionExpression="attribute_exists(serial_number)",
            ExpressionAttributeValues=_texts({":revoked": "revoked"}),
        )

    def find(self, serial_number: str) -> ListedDevice | None:
        """Return a device's entry; None where it has none."""
        with translated(f"look {serial_number} up"):
            found = self._client.get_item(
                TableName=self._table, Key=_texts({"serial_number": serial_number}), ConsistentRead=True
            )
        return _listed(found["Item"]) if "Item" in found else None

    def devices(self) -> Iterator[ListedDevice]:
        """Yield all entries, in no order."""
        with translated("read the list of devices"):
            for page in self._client.get_paginator("scan").paginate(TableName=self._table):
                yield from map(_listed, page["Items"])

    def part(self, most: int, after: str | None = None) -> tuple[list[ListedDevice], str | None]:
        """Return entries in no order that stays, and the serial number after which the rest is, if any."""
        begin: dict[str, Any] = (
            {} if after is None else {"ExclusiveStartKey": _texts({"serial_number": after})}
        )
        with translated("read the list of devices"):
            page = self._client.scan(TableName=self._table, Limit=most, **begin)
        last = page.get("LastEvaluatedKey", {}).get("serial_number", {}).get("S")
        return [_listed(item) for item in page["Items"]], last

    def _written(self, doing: str, write: Any, **request: Any) -> bool:
        """Write, and tell whether the condition held."""
        answer = unless(CONDITION_FAILED, doing, lambda: write(TableName=self._table, **request))
        return answer is not None


def _texts(values: dict[str, str]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in values.items()}


def _listed(item: dict[str, Any]) -> ListedDevice:
    values = {name: next(iter(value.values())) for name, value in item.items()}
    return ListedDevice(
        values["serial_number"],
        values["site"],
        cast(State, values["listed_as"]),
        values.get("certificate_id"),
    )
