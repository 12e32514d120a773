"""What a table keeps of one entity: counters and its latest transactions in one item.

So one read answers for the usual transaction, which is later than all others of its entities.

What falls out of the latest is written to items of its own. A transaction that comes late, or whose labels
were found out in between, is answered from these: slower, with the same result.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.fraud.history import EntityHistory, Label, Neighbour

PAGE_VERSION = 1
SPARE = 4
"""Transactions that a page keeps beyond the K of a neighbourhood: so many may come late and cost nothing."""
MOST_PENDING = 4096
"""Labels of older transactions that a page keeps until they are known; any more make late reads slow."""

Order = tuple[float, str]
"""Time and id: what makes one transaction earlier than another."""

_LENGTH = struct.Struct("<I")
_NEVER = float("-inf")


@dataclass(frozen=True)
class Older:
    """What is known of the transactions that are not in a page, in sum."""

    until: Order | None = None
    """The latest of them; None where there is none."""
    labelled: int = 0
    frauds: int = 0
    latest_fraud: float | None = None
    known_until: float = _NEVER
    """Time at which the last of the labels that are counted here was known."""
    pending: tuple[tuple[float, float, bool], ...] = ()
    """Labels that are not counted yet: when it is known, when the transaction was, and whether it was fraud;
    ascending."""

    def with_transaction(self, neighbour: Neighbour, now: float) -> Older:
        """Return the sum with one transaction more; labels count that are known at the time `now`."""
        until = _order(neighbour) if self.until is None else max(self.until, _order(neighbour))
        grown = replace(self, until=until)
        return grown if neighbour.label is None else grown.with_label(neighbour.time, neighbour.label, now)

    def with_label(self, time: float, label: Label, now: float) -> Older:
        """Return the sum with the label of one of its transactions."""
        entry = (label.known_at, time, label.fraud)
        return replace(self, pending=tuple(sorted((*self.pending, entry)))).settled(now)

    def settled(self, now: float) -> Older:
        """Return the sum in which the labels count that are known at a time."""
        too_many = len(self.pending) - MOST_PENDING
        due = [one for at, one in enumerate(self.pending) if one[0] <= now or at < too_many]
        if not due:
            return self
        frauds = [time for _, time, fraud in due if fraud]
        return replace(
            self,
            labelled=self.labelled + len(due),
            frauds=self.frauds + len(frauds),
            latest_fraud=_latest((self.latest_fraud, *frauds)),
            known_until=max(self.known_until, due[-1][0]),
            pending=self.pending[len(due) :],
        )


@dataclass(frozen=True, eq=False)
class EntityPage:
    """One entity: how many transactions it has, and the latest of them."""

    count: int = 0
    latest: tuple[Neighbour, ...] = ()
    """Ascending by time and id."""
    older: Older = Older()

    def as_of(self, order: Order, neighbours: int) -> EntityHistory | None:
        """Return the history as-of a transaction, or None where the page does not have all that it needs.

        Parameters
        ----------
        order
            Of the transaction, which may be in the page itself.
        neighbours
            K.
        """
        earlier = [one for one in self.latest if _order(one) < order]
        older, time = self.older, order[0]
        if older.until is not None and (
            len(earlier) < neighbours or order <= older.until or time < older.known_until
        ):
            return None
        due = [(at, fraud) for known_at, at, fraud in older.pending if known_at <= time]
        known = history_of(earlier, time, neighbours)
        frauds = [at for at, fraud in due if fraud]
        return EntityHistory(
            latest=known.latest,
            count=self.count - (len(self.latest) - len(earlier)),
            labelled=older.labelled + len(due) + known.labelled,
            frauds=older.frauds + len(frauds) + known.frauds,
            latest_fraud=_latest((older.latest_fraud, known.latest_fraud, *frauds)),
        )

    def with_transaction(self, neighbour: Neighbour, most: int) -> tuple[EntityPage, Neighbour | None]:
        """Return the page with a transaction more, and the one that it no longer has: the earliest.

        Parameters
        ----------
        most
            How many transactions a page keeps.
        """
        kept = tuple(sorted((*self.latest, neighbour), key=_order))
        gone, kept = (kept[0], kept[1:]) if len(kept) > most else (None, kept)
        now = kept[-1].time
        older = self.older.with_transaction(gone, now) if gone else self.older.settled(now)
        return EntityPage(self.count + 1, kept, older), gone

    def with_label(self, id_: str, time: float, label: Label) -> EntityPage:
        """Return the page with the first label of one of its entity's transactions."""
        if self.has(id_):
            return self.with_other_label(id_, label)
        return replace(self, older=self.older.with_label(time, label, self.latest[-1].time))

    def with_other_label(self, id_: str, label: Label) -> EntityPage:
        """Return the page with a label of one of the transactions that it has."""
        return replace(
            self,
            latest=tuple(replace(one, label=label) if one.id == id_ else one for one in self.latest),
        )

    def recounted(self, older: Iterable[Neighbour]) -> EntityPage:
        """Return the page with the sum of what it does not have made anew."""
        total = Older()
        for one in older:
            total = total.with_transaction(one, self.latest[-1].time)
        return replace(self, older=total)

    def has(self, id_: str) -> bool:
        """Whether a transaction is among the latest."""
        return any(one.id == id_ for one in self.latest)

    def to_bytes(self) -> bytes:
        """Return the page packed: JSON, then the vectors as they are, compressed."""
        older = self.older
        head = {
            "version": PAGE_VERSION,
            "count": self.count,
            "latest": [
                (one.id, one.time, one.label and (one.label.fraud, one.label.known_at)) for one in self.latest
            ],
            "older": older.until
            and (
                older.until,
                older.labelled,
                older.frauds,
                older.latest_fraud,
                None if older.known_until == _NEVER else older.known_until,
                older.pending,
            ),
        }
        text = json.dumps(head, separators=(",", ":")).encode()
        vectors = b"".join(one.vector.astype("<f4").tobytes() for one in self.latest)
        return zlib.compress(_LENGTH.pack(len(text)) + text + vectors, 1)

    @classmethod
    def from_bytes(cls, packed: bytes) -> EntityPage:
        """Read what `to_bytes` wrote.

        Raises
        ------
        ContractViolationError
            If another release of the software wrote it.
        """
        content = zlib.decompress(packed)
        (length,) = _LENGTH.unpack_from(content)
        head = json.loads(content[_LENGTH.size : _LENGTH.size + length])
        if head["version"] != PAGE_VERSION:
            raise ContractViolationError(
                f"an entity's page has version {head['version']}, this release reads {PAGE_VERSION}: "
                "load the graph again"
            )
        latest, older = head["latest"], head["older"]
        vectors = np.frombuffer(content, "<f4", offset=_LENGTH.size + length).astype(np.float32)
        rows = vectors.reshape(len(latest), -1) if latest else ()
        return cls(
            head["count"],
            tuple(
                Neighbour(id_, time, row, Label(*label) if label else None)
                for (id_, time, label), row in zip(latest, rows, strict=True)
            ),
            Older() if older is None else _older(*older),
        )


def history_of(earlier: Sequence[Neighbour], time: float, neighbours: int) -> EntityHistory:
    """Return a history from all transactions that it is of.

    Parameters
    ----------
    earlier
        Ascending by time and id.
    time
        When: labels known later do not count.
    neighbours
        K.
    """
    known = [(one.time, label) for one in earlier if (label := one.label_at(time))]
    frauds = [at for at, label in known if label > 0]
    return EntityHistory(
        latest=tuple(reversed(earlier[-neighbours:])),
        count=len(earlier),
        labelled=len(known),
        frauds=len(frauds),
        latest_fraud=_latest(frauds),
    )


def _older(
    until: list[float | str],
    labelled: int,
    frauds: int,
    latest_fraud: float | None,
    known_until: float | None,
    pending: list[list[float]],
) -> Older:
    time, id_ = until
    return Older(
        (float(time), str(id_)),
        labelled,
        frauds,
        latest_fraud,
        _NEVER if known_until is None else known_until,
        tuple((known_at, at, bool(fraud)) for known_at, at, fraud in pending),
    )


def _order(neighbour: Neighbour) -> Order:
    return neighbour.time, neighbour.id


def _latest(times: Iterable[float | None]) -> float | None:
    return max((time for time in times if time is not None), default=None)
