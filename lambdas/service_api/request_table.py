"""Requests in DynamoDB: made once, read by id, listed by time in pages that callers ask for by a token."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from lambdas.adapters.errors import CONDITION_FAILED, translated, unless
from lambdas.http.problems import INVALID_REQUEST, ServiceProblemError
from watchkeeper.core.timestamps import format_instant, parse_iso8601
from watchkeeper.service.request_item import (
    BY_CREATION,
    PLACES,
    Attribute,
    Status,
    item_key,
    partition_key,
    places_key,
)
from watchkeeper.service.tasks import Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


Item = dict[str, Any]
"""An item as plain values: text, numbers, lists and maps."""

PAGES_READ = 20
"""Pages of the index that one listing reads at most while its filter drops items."""


class Listing(NamedTuple):
    """Items, the newest first, and where the next page begins."""

    items: list[Item]
    next_start: Mapping[str, str] | None


@dataclass(frozen=True)
class Place:
    """One of the places of a tenant's open tasks."""

    request: str
    taken_at: datetime

    @classmethod
    def of_text(cls, text: str) -> Place:
        """Read a place as the table has it."""
        request, _, taken_at = text.rpartition("@")
        return cls(request, parse_iso8601(taken_at))

    def text(self) -> str:
        """Return it as the table has it."""
        return f"{self.request}@{format_instant(self.taken_at)}"


@dataclass(frozen=True)
class DynamoRequestTable:
    """The requests of all tenants."""

    client: DynamoDBClient
    table: str

    def take(self, tenant: str, place: Place, most: int) -> bool:
        """Take a place unless so many are taken; tell whether it was taken."""
        taken = unless(
            CONDITION_FAILED,
            f"take a place of {tenant}",
            lambda: self.client.update_item(
                TableName=self.table,
                Key=_typed(places_key(tenant)),
                UpdateExpression="ADD #places :place",
                ConditionExpression="attribute_not_exists(#places) OR size(#places) < :most",
                ExpressionAttributeNames={"#places": PLACES},
                ExpressionAttributeValues=_typed({":place": {place.text()}, ":most": most}),
            ),
        )
        return taken is not None

    def places(self, tenant: str) -> list[Place]:
        """Return the places that are taken."""
        with translated(f"read the places of {tenant}"):
            answer = self.client.get_item(
                TableName=self.table, Key=_typed(places_key(tenant)), ConsistentRead=True
            )
        return [Place.of_text(text) for text in sorted(_plain(answer.get("Item", {})).get(PLACES, ()))]

    def give_up(self, tenant: str, places: Iterable[Place]) -> None:
        """Give places up; of one that is not taken, nothing happens."""
        with translated(f"give up places of {tenant}"):
            self.client.update_item(
                TableName=self.table,
                Key=_typed(places_key(tenant)),
                UpdateExpression="DELETE #places :places",
                ExpressionAttributeNames={"#places": PLACES},
                ExpressionAttributeValues=_typed({":places": {each.text() for each in places}}),
            )

    def find(self, tenant: str, request: str) -> Item | None:
        """Return a request by what it is called in the account: `request_key_id`."""
        with translated(f"read request {request}"):
            answer = self.client.get_item(
                TableName=self.table, Key=_typed(item_key(tenant, request)), ConsistentRead=True
            )
        return _plain(answer["Item"]) if "Item" in answer else None

    def add(self, item: Item) -> bool:
        """Write an item unless there is one with its key; tell whether it was written."""
        written = unless(
            CONDITION_FAILED,
            f"write request {item[Attribute.SK.value]}",
            lambda: self.client.put_item(
                TableName=self.table, Item=_typed(item), ConditionExpression="attribute_not_exists(pk)"
            ),
        )
        return written is not None

    def newest(
        self,
        tenant: str,
        *,
        task: Task | None,
        status: Status | None,
        limit: int,
        start: Mapping[str, str] | None,
    ) -> Listing:
        """Return requests of a tenant, the newest first, of a task and of a status where these are given."""
        wanted = {Attribute.TASK.value: task, Attribute.STATUS.value: status}
        given = {name: value.value for name, value in wanted.items() if value is not None}
        asked: dict[str, Any] = {
            "TableName": self.table,
            "IndexName": BY_CREATION,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": _typed(
                {":pk": partition_key(tenant), **{f":{name}": value for name, value in given.items()}}
            ),
            "ScanIndexForward": False,
        }
        if given:
            asked["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in given)
            asked["ExpressionAttributeNames"] = {f"#{name}": name for name in given}
        found: list[Item] = []
        for _ in range(PAGES_READ):
            if start is not None:
                asked["ExclusiveStartKey"] = _typed(start)
            with translated(f"list requests of {tenant}"):
                page = self.client.query(**asked, Limit=limit - len(found))
            found += map(_plain, page["Items"])
            start = _plain(page["LastEvaluatedKey"]) if page.get("LastEvaluatedKey") else None
            if start is None or len(found) >= limit:
                break
        return Listing(found, start)


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in values.items()}


def _plain(item: Mapping[str, Any]) -> Item:
    deserializer = TypeDeserializer()
    return {name: deserializer.deserialize(value) for name, value in item.items()}


def document_of(item: Item, attribute: Attribute) -> Any:
    """Return the value of an attribute that is JSON, or None where the item has none."""
    text = item.get(attribute.value)
    return json.loads(text) if text else None


_KEYS = {Attribute.PK.value, Attribute.SK.value, Attribute.CREATED_AT.value}


def page_token(start: Mapping[str, str]) -> str:
    """Return the token of the page that begins after a key of the index."""
    text = json.dumps({name: start[name] for name in sorted(_KEYS - {Attribute.PK.value})})
    return base64.urlsafe_b64encode(text.encode()).decode()


def page_start(token: str, tenant: str) -> dict[str, str]:
    """Return the key that a token means; the tenant is the caller's, whatever the token says.

    Raises
    ------
    ServiceProblemError
        If it is not a token of this service.
    """
    try:
        start = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _refused(token) from error
    if not isinstance(start, dict) or not all(isinstance(value, str) and value for value in start.values()):
        raise _refused(token)
    key = {**start, Attribute.PK.value: partition_key(tenant)}
    if key.keys() != _KEYS:
        raise _refused(token)
    return key


def _refused(token: str) -> ServiceProblemError:
    return ServiceProblemError(
        INVALID_REQUEST, f"page_token {token[:40]!r} is not the next_page_token of an answer"
    )
