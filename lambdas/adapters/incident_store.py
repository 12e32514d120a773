"""Incidents in their table, under one optimistic lock a workload.

Which incidents an anomaly joins depends on all that are near it in time, so every change of a workload's
incidents is conditional on its **book**, which each change writes anew. What a change makes known (notices,
and pointers of incidents that are in others now) is written in the same transaction, as the **outbox**; who
comes next sends it, if the one that wrote it could not.

| pk | sk | attributes |
| --- | --- | --- |
| `books` | workload | `document` (JSON of `Book`) |
| `workload#NAME` | `at#OPENED_AT#ID` | `incident_id`, `state`, `summary`; `document` (B, gzipped), `parts` |
| `parts#NAME#ID` | `DIGEST#NUMBER` | `document` (B): a part of a document that is too large for one item |
| `outbox#NAME` | `CHANGE#NUMBER` | `document` (B, gzipped JSON of a list of `Sending`) |
| `changes#NAME` | `CHANGE` | `document` (B, gzipped JSON of a list of `LiveEvent`), for a week |
| `pauses` | workload | `document` (JSON of `Pauses`) |
| `verdicts#NAME` | incident's id | `document` (B, gzipped JSON of `Verdict`); kept until it is taken back |
| `labels#NAME` | label's id | `document` (JSON of `Label`); kept until it is taken back |

Verdicts are written with the thresholds that they move, which lie beside the releases in the series table.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from lambdas.adapters.errors import code_of, translated
from lambdas.adapters.release_store import moving
from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause, pause_with_jitter
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import ContractViolationError, InvalidInputError, UnavailableError
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.feedback import Label, Verdict
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import IncidentNotice
from watchkeeper.incidents.pausing import NO_PAUSES, Pauses, events_of
from watchkeeper.incidents.progress import Change
from watchkeeper.incidents.summary import IncidentSummary, LiveEvent, event_of, summary_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_ID = "by_id"
"""Index of the incidents by `incident_id`, with keys only."""
INCIDENT_DAYS = 400
"""So long after its last interval an incident is kept."""
CHANGES_DAYS = 7
"""So long the log of changes is kept."""
PART_BYTES = 200_000
"""Of a document in an item of its own: DynamoDB takes 400 KB."""
INLINE_BYTES = 20_000
"""Up to so many a document is in the incident's own item."""
VERDICT_BYTES = 380_000
"""Of a verdict, packed: 20,000 series and more."""
MOST_CHANGED = 60
"""Incidents that one change may write: DynamoDB takes 100 items and 4 MB in a transaction."""

_SECONDS_PER_DAY = 86_400
_BOOKS = "books"
_PAUSES = "pauses"
_LOST = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


@dataclass(frozen=True)
class Book(Document, name="book of incidents"):
    """What is known of all of a workload's incidents."""

    changes: int = 0
    """So far; no two books of a workload have the same."""
    longest_seconds: int = 0
    """From the first interval to the last, of the longest incident."""
    open_since: int | None = None
    """When the oldest that is not over began, in seconds since 1970; None where all are over."""
    last: int = 0
    """End of the latest anomalous interval, in seconds since 1970."""
    arrived: int = 0
    """When the latest anomaly came."""
    open_count: int | None = None
    """Incidents that are not over; None in a book of before, until the next change."""


@dataclass(frozen=True)
class Sending(Document, name="sending"):
    """What a change makes known, once or again."""

    merged: tuple[Incident, ...] = ()
    """Incidents without what they touched, each with `merged_into`."""
    notices: tuple[IncidentNotice, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    """For who looks on: of `LiveEvent`."""


class IncidentStore(Protocol):
    """Incidents of all workloads."""

    def books(self) -> dict[str, Book]:
        """Return the book of each workload that had an incident."""

    def book(self, workload: str) -> Book:
        """Return a workload's book."""

    def between(self, workload: str, since: int, until: int, *, open_only: bool = False) -> list[Incident]:
        """Return the incidents that began from `since` to `until` (seconds since 1970), the oldest first.

        Those that are in others are left out.
        """

    def find(self, incident_id: str) -> Incident | None:
        """Return an incident by its id, or by a former one."""

    def newest(
        self, workload: str, since: int, until: int, most: int, before: str | None = None
    ) -> tuple[list[IncidentSummary], str | None]:
        """Return incidents in short that began from `since` to `until`, the newest first.

        Times are seconds since 1970.

        Parameters
        ----------
        most
            How many are looked at; those that are in others are left out.
        before
            Where the part before ended.

        Returns
        -------
        found, end
            Where the next part begins; None after the last.
        """

    def changes(self, workload: str, after: int, most: int) -> list[tuple[int, list[LiveEvent]]]:
        """Return the events of the changes after one, by the change's number; of the last days only."""

    def commit(self, workload: str, seen: Book, now: Book, change: Change) -> bool:
        """Write a change of at most `MOST_CHANGED` incidents, or nothing if another one came before.

        Parameters
        ----------
        seen
            The book that the change was made from.
        now
            What the book says after it; `changes` is counted on.
        """

    def pauses(self, workload: str) -> Pauses:
        """Return when nothing is told of a workload, or of its series."""

    def all_pauses(self) -> dict[str, Pauses]:
        """Return the same of each workload that was paused."""

    def verdicts(self, workload: str) -> list[Verdict]:
        """Return what people say of a workload's incidents, by the incident's id."""

    def labels(self, workload: str) -> list[Label]:
        """Return the stretches of a workload's series that people marked as anomalies, by the label's id."""

    def unsent(self, workload: str) -> list[tuple[str, Sending]]:
        """Return what changes have made known and nobody has marked as sent, by key, the oldest first."""

    def point(self, merged: Sequence[Incident]) -> None:
        """Let incidents that are in others say so."""

    def sent(self, workload: str, key: str) -> None:
        """Mark as sent."""


@dataclass(frozen=True)
class TableIncidents:
    """`IncidentStore` in DynamoDB."""

    client: DynamoDBClient
    table: str
    series_table: str | None = None
    """Where moved thresholds are; who gives verdicts needs it."""
    clock: Callable[[], float] = time.time
    pause: Pause = pause_with_jitter

    def books(self) -> dict[str, Book]:
        return {item["sk"]["S"]: Book.from_json(item["document"]["S"]) for item in self._query(_BOOKS)}

    def book(self, workload: str) -> Book:
        item = self._get(_key(_BOOKS, workload))
        return Book() if item is None else Book.from_json(item["document"]["S"])

    def all_pauses(self) -> dict[str, Pauses]:
        return {item["sk"]["S"]: Pauses.from_json(item["document"]["S"]) for item in self._query(_PAUSES)}

    def pauses(self, workload: str) -> Pauses:
        item = self._get(_key(_PAUSES, workload))
        return NO_PAUSES if item is None else Pauses.from_json(item["document"]["S"])

    def between(self, workload: str, since: int, until: int, *, open_only: bool = False) -> list[Incident]:
        first, last = f"at#{format_instant(since)}", f"at#{format_instant(until)}#~"
        found = (
            self._whole(item)
            for item in self._query(f"workload#{workload}", first, last)
            if item["state"]["S"] != "merged" and not (open_only and item["state"]["S"] == "closed")
        )
        return [incident for incident in found if incident is not None]

    def find(self, incident_id: str) -> Incident | None:
        for _ in range(MAX_ATTEMPTS):
            with translated(f"find incident {incident_id}"):
                response = self.client.query(
                    TableName=self.table,
                    IndexName=BY_ID,
                    KeyConditionExpression="incident_id = :id",
                    ExpressionAttributeValues={":id": {"S": incident_id}},
                )
            keys = [{"pk": item["pk"], "sk": item["sk"]} for item in response["Items"]]
            item = self._get(keys[0]) if keys else None
            incident = None if item is None else self._whole(item)
            if incident is None or incident.merged_into is None:
                return incident
            incident_id = incident.merged_into
        raise UnavailableError(f"incident {incident_id} is joined with others again and again: try again")

    def newest(
        self, workload: str, since: int, until: int, most: int, before: str | None = None
    ) -> tuple[list[IncidentSummary], str | None]:
        pk = f"workload#{workload}"
        options: dict[str, Any] = {"ExclusiveStartKey": _key(pk, before)} if before else {}
        with translated(f"list the newest incidents of {workload}"):
            page = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":pk": {"S": pk},
                    ":first": {"S": f"at#{format_instant(since)}"},
                    ":last": {"S": f"at#{format_instant(until)}#~"},
                },
                ProjectionExpression="pk, sk, #state, summary",
                ScanIndexForward=False,
                Limit=most,
                **options,
            )
        found = [self._summary(item) for item in page["Items"] if item["state"]["S"] != "merged"]
        end = page.get("LastEvaluatedKey")
        return [each for each in found if each is not None], end["sk"]["S"] if end else None

    def changes(self, workload: str, after: int, most: int) -> list[tuple[int, list[LiveEvent]]]:
        with translated(f"list changes of {workload}"):
            page = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND sk > :after",
                ExpressionAttributeValues={
                    ":pk": {"S": f"changes#{workload}"},
                    ":after": {"S": _number(after)},
                },
                ConsistentRead=True,
                Limit=most,
            )
        return [
            (
                int(item["sk"]["S"]),
                [LiveEvent(**each) for each in json.loads(gzip.decompress(item["document"]["B"]))],
            )
            for item in page["Items"]
        ]

    def commit(self, workload: str, seen: Book, now: Book, change: Change) -> bool:
        latest = {incident.incident_id: incident for incident in change.incidents}
        packed = [(incident, _packed(incident)) for incident in latest.values()]
        book = dataclasses.replace(now, changes=seen.changes + 1)
        at = datetime.fromtimestamp(self.clock(), timezone.utc)
        events = [event_of(each, book.changes, at) for each in (*latest.values(), *change.merged)]
        if change.pauses is not None:
            events += events_of(workload, self.pauses(workload), change.pauses, book.changes, at)
        events += [each.event(workload, book.changes, at) for each in change.told]
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if seen.changes:
            condition = {
                "ConditionExpression": "document = :seen",
                "ExpressionAttributeValues": {":seen": {"S": seen.to_json()}},
            }
        puts: Any = [
            {**_put(self.table, {**_key(_BOOKS, workload), "document": {"S": book.to_json()}}), **condition},
            *(_put(self.table, self._head(*each)) for each in packed),
            _put(self.table, self._logged(workload, book.changes, events)),
            *(_put(self.table, item) for item in self._outbox(workload, book.changes, change, events)),
            *(_put(self.table, _verdict(each)) for each in change.verdicts),
            *(
                _put(self.table, {**_label_key(each), "document": {"S": each.to_json()}})
                for each in change.labels
            ),
        ]
        gone = [
            *(_key(f"verdicts#{workload}", each.incident_id) for each in change.withdrawn),
            *map(_label_key, change.unlabelled),
        ]
        if change.pauses is not None:
            document = {"S": change.pauses.to_json()}
            puts.append(_put(self.table, {**_key(_PAUSES, workload), "document": document}))
        writes: Any = [
            *({"Put": put} for put in puts),
            *({"Delete": {"TableName": self.table, "Key": key}} for key in gone),
        ]
        if change.moved is not None:
            if self.series_table is None:
                raise ContractViolationError("a verdict moves thresholds: name the series table they are in")
            writes.append({"Update": moving(self.series_table, workload, change.moved)})
        doing = f"write incidents of {workload}"
        for attempt in range(MAX_ATTEMPTS):
            with translated(doing):
                try:
                    self.client.transact_write_items(TransactItems=writes)
                except ClientError as error:
                    reasons = {
                        each.get("Code", "None") for each in error.response.get("CancellationReasons", [])
                    }
                    if code_of(error) != "TransactionCanceledException" or reasons - _LOST - {"None"}:
                        raise
                    if "ConditionalCheckFailed" in reasons:
                        return False
                else:
                    for each in packed:
                        self._forget_parts(*each)
                    return True
            self.pause(attempt)
        raise UnavailableError(f"{doing}: others wrote them at the same time, {MAX_ATTEMPTS} times")

    def verdicts(self, workload: str) -> list[Verdict]:
        return [
            Verdict.from_json(gzip.decompress(item["document"]["B"]))
            for item in self._query(f"verdicts#{workload}")
        ]

    def labels(self, workload: str) -> list[Label]:
        return [Label.from_json(item["document"]["S"]) for item in self._query(f"labels#{workload}")]

    def unsent(self, workload: str) -> list[tuple[str, Sending]]:
        return [
            (item["sk"]["S"], Sending.from_json(gzip.decompress(item["document"]["B"])))
            for item in self._query(f"outbox#{workload}")
        ]

    def point(self, merged: Sequence[Incident]) -> None:
        for incident in merged:
            packed = _packed(incident)
            with translated(f"write that {incident.incident_id} is in {incident.merged_into}"):
                self.client.put_item(TableName=self.table, Item=self._head(incident, packed))
            self._forget_parts(incident, packed)

    def sent(self, workload: str, key: str) -> None:
        with translated(f"delete {key} of the outbox of {workload}"):
            self.client.delete_item(TableName=self.table, Key=_key(f"outbox#{workload}", key))

    def _head(self, incident: Incident, packed: bytes) -> dict[str, Any]:
        item: dict[str, Any] = {
            **_key(f"workload#{incident.workload}", f"at#{incident.opened_at}#{incident.incident_id}"),
            "incident_id": {"S": incident.incident_id},
            "state": {"S": "merged" if incident.merged_into else incident.state},
            "summary": {"S": summary_of(incident).to_json()},
            "expires_at": self._expiry(incident),
        }
        if len(packed) <= INLINE_BYTES:
            return {**item, "document": {"B": packed}}
        parts = list(self._parts(incident, packed))
        for part in parts:
            with translated(f"write a part of incident {incident.incident_id}"):
                self.client.put_item(TableName=self.table, Item=part)
        return {**item, "parts": {"S": _digest(packed)}, "count": {"N": str(len(parts))}}

    def _parts(self, incident: Incident, packed: bytes) -> Iterator[dict[str, Any]]:
        for number, first in enumerate(range(0, len(packed), PART_BYTES)):
            yield {
                **_key(_parts_pk(incident), f"{_digest(packed)}#{number:04}"),
                "document": {"B": packed[first : first + PART_BYTES]},
                "expires_at": self._expiry(incident),
            }

    def _whole(self, item: dict[str, Any]) -> Incident | None:
        """Return the incident of an item, read again where it was written meanwhile."""
        for attempt in range(MAX_ATTEMPTS):
            if "document" in item:
                return Incident.from_json(gzip.decompress(item["document"]["B"]))
            pk = item["pk"]["S"].replace("workload#", "parts#", 1) + f"#{item['incident_id']['S']}"
            parts = self._query(pk, f"{item['parts']['S']}#", f"{item['parts']['S']}#~")
            if len(parts) == int(item["count"]["N"]):
                packed = b"".join(part["document"]["B"] for part in parts)
                return Incident.from_json(gzip.decompress(packed))
            self.pause(attempt)
            found = self._get({"pk": item["pk"], "sk": item["sk"]})
            if found is None:
                return None
            item = found
        raise UnavailableError(f"incident {item['incident_id']['S']} is written again and again: try again")

    def _forget_parts(self, incident: Incident, packed: bytes) -> None:
        """Delete parts of documents of before; what is left behind expires."""
        if len(packed) < INLINE_BYTES // 2 and incident.merged_into is None:
            return  # a document never shrinks, so this one had no parts
        current = f"{_digest(packed)}#"
        for part in self._query(_parts_pk(incident), keys_only=True):
            if len(packed) <= INLINE_BYTES or not part["sk"]["S"].startswith(current):
                with translated(f"delete a part of incident {incident.incident_id}"):
                    self.client.delete_item(TableName=self.table, Key=part)

    def _summary(self, item: dict[str, Any]) -> IncidentSummary | None:
        """Return the incident of an item in short; one of before has its document only."""
        if "summary" in item:
            return IncidentSummary.from_json(item["summary"]["S"])
        found = self._get({"pk": item["pk"], "sk": item["sk"]})
        incident = None if found is None else self._whole(found)
        return None if incident is None else summary_of(incident)

    def _logged(self, workload: str, number: int, events: Sequence[LiveEvent]) -> dict[str, Any]:
        text = json.dumps([each.to_dict() for each in events], separators=(",", ":"))
        return {
            **_key(f"changes#{workload}", _number(number)),
            "document": {"B": gzip.compress(text.encode(), mtime=0)},
            "expires_at": {"N": str(int(self.clock()) + CHANGES_DAYS * _SECONDS_PER_DAY)},
        }

    def _outbox(
        self, workload: str, number_of_change: int, change: Change, events: Sequence[LiveEvent]
    ) -> Iterator[dict[str, Any]]:
        sending = [
            *(Sending(merged=(dataclasses.replace(each, touched=()),)) for each in change.merged),
            *(Sending(notices=(notice,)) for notice in change.notices),
            *(Sending(events=(event.to_dict(),)) for event in events),
        ]
        for number, chunk in enumerate(_chunks(sending)):
            yield {
                **_key(f"outbox#{workload}", f"{_number(number_of_change)}#{number:04}"),
                "document": {"B": gzip.compress(chunk.to_json().encode(), mtime=0)},
            }

    def _expiry(self, incident: Incident) -> dict[str, Any]:
        return {"N": str(max(int(self.clock()), incident.last) + INCIDENT_DAYS * _SECONDS_PER_DAY)}

    def _get(self, key: Any) -> dict[str, Any] | None:
        with translated(f"read {key['pk']['S']} {key['sk']['S']}"):
            response = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        return response.get("Item")

    def _query(
        self, pk: str, first: str | None = None, last: str | None = None, *, keys_only: bool = False
    ) -> list[dict[str, Any]]:
        names: dict[str, Any] = {":pk": {"S": pk}}
        condition = "pk = :pk"
        if first is not None and last is not None:
            names |= {":first": {"S": first}, ":last": {"S": last}}
            condition += " AND sk BETWEEN :first AND :last"
        options: dict[str, Any] = {"ProjectionExpression": "pk, sk"} if keys_only else {}
        with translated(f"list {pk}"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=names,
                ConsistentRead=True,
                **options,
            )
            return [item for page in pages for item in page["Items"]]


_SENDING_BYTES = 600_000
"""Packed, it is a third of that at most."""


def _chunks(sending: Sequence[Sending]) -> Iterator[Sending]:
    """Join small sendings, as many as an item may have before it is packed."""
    size, chunk = 0, Sending()
    for each in sending:
        length = len(each.to_json())
        if size and size + length > _SENDING_BYTES:
            yield chunk
            size, chunk = 0, Sending()
        size += length
        chunk = Sending(chunk.merged + each.merged, chunk.notices + each.notices, chunk.events + each.events)
    if size:
        yield chunk


def _label_key(label: Label) -> dict[str, Any]:
    return _key(f"labels#{label.workload}", label.label_id)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    packed = gzip.compress(verdict.to_json().encode(), mtime=0)
    if len(packed) > VERDICT_BYTES:
        raise InvalidInputError(
            f"incident {verdict.incident_id} touches {len(verdict.marks)} series: a verdict of so many, "
            f"{len(packed)} bytes, is more than {VERDICT_BYTES}"
        )
    return {**_key(f"verdicts#{verdict.workload}", verdict.incident_id), "document": {"B": packed}}


def _number(change: int) -> str:
    """Return a change's number as it is sorted."""
    return f"{change:012}"


def _parts_pk(incident: Incident) -> str:
    return f"parts#{incident.workload}#{incident.incident_id}"


def _packed(incident: Incident) -> bytes:
    return gzip.compress(incident.to_json().encode(), mtime=0)


def _digest(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()[:16]


def _put(table: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"TableName": table, "Item": item}


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
