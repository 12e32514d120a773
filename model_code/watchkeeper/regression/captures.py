"""What an endpoint's data capture wrote: the requests' instances, and a fair sample of them.

One JSON object a line, as SageMaker writes it: `captureData.endpointInput` has the request's content type,
its encoding and its data, `eventMetadata` an id and the time of the request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.telemetry.payloads import Instance, read_payload


@dataclass(frozen=True)
class CapturedInstance:
    """One record of a captured request."""

    identity: str
    """The request's event id and the record's position in it."""
    captured_at: datetime
    """When the endpoint answered; aware, UTC."""
    content: Instance


class Sample:
    """Some of many, chosen by the hash of their identity: the same ones in whatever order they come.

    The items with the smallest hashes are kept, which is a simple random sample without replacement.

    Parameters
    ----------
    size : int
        How many are kept, at most.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[tuple[int, str, Any]] = []
        self.seen = 0

    def add(self, identity: str, item: Any) -> None:
        """Offer an item; identities differ."""
        self.seen += 1
        rank = -int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big")
        entry = (rank, identity, item)
        if len(self._kept) < self._size:
            heapq.heappush(self._kept, entry)
        elif entry[:2] > self._kept[0][:2]:
            heapq.heapreplace(self._kept, entry)

    def items(self) -> list[Any]:
        """Return what was kept, in the order of their identities."""
        return [item for _, _, item in sorted(self._kept, key=lambda entry: entry[1])]


def instances_in(lines: Iterable[bytes]) -> Iterator[CapturedInstance | InvalidInputError]:
    """Yield the records of captured requests; of a line that cannot be read, the error.

    Requests whose input was not captured have no records.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield from _instances(json.loads(line))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield InvalidInputError(f"line {number}: not a captured request: {error!r}", reason="bad_capture")
        except InvalidInputError as error:
            yield InvalidInputError(f"line {number}: {error}", reason=error.reason)


def _instances(document: dict[str, Any]) -> list[CapturedInstance]:
    found = document["captureData"].get("endpointInput")
    if found is None:
        return []
    metadata = document["eventMetadata"]
    captured_at = parse_instant(metadata["inferenceTime"])
    contents = read_payload(_payload(found), str(found.get("observedContentType", "")))
    return [
        CapturedInstance(f"{metadata['eventId']}#{position:06d}", captured_at, content)
        for position, content in enumerate(contents)
    ]


def _payload(found: dict[str, Any]) -> bytes:
    if found["encoding"] != "BASE64":
        return str(found["data"]).encode()
    try:
        return base64.b64decode(found["data"], validate=True)
    except binascii.Error as error:
        raise InvalidInputError(f"its data cannot be decoded: {error}", reason="bad_capture") from error
