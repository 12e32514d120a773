"""Our events on an EventBridge bus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lambdas.adapters.errors import translated
from lambdas.runtime.retrying import MAX_ATTEMPTS, Pause, pause_with_jitter
from watchkeeper.anomalies.event import EVENT_SOURCE
from watchkeeper.core.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

_PUT_EVENTS = 10
_PUT_BYTES = 200_000
"""Of the details of one request: EventBridge takes 256 KB with what is around them."""


class EventBus(Protocol):
    """A bus."""

    def put(self, detail_type: str, details: Sequence[str]) -> None:
        """Put events of one type. Who reads from the bus removes repetitions by what is in the detail.

        Parameters
        ----------
        details
            JSON objects.

        Raises
        ------
        UnavailableError
            If some are not taken.
        """


@dataclass(frozen=True)
class EventBridgeBus:
    """`EventBus` in EventBridge."""

    client: EventBridgeClient
    bus: str
    pause: Pause = pause_with_jitter

    def put(self, detail_type: str, details: Sequence[str]) -> None:
        size, request = 0, list[str]()
        for detail in details:
            length = len(detail.encode())
            if request and (len(request) == _PUT_EVENTS or size + length > _PUT_BYTES):
                self._put(detail_type, request)
                size, request = 0, []
            size += length
            request.append(detail)
        if request:
            self._put(detail_type, request)

    def _put(self, detail_type: str, details: Sequence[str]) -> None:
        for attempt in range(MAX_ATTEMPTS):
            with translated(f"put events on {self.bus}"):
                response = self.client.put_events(
                    Entries=[
                        {
                            "EventBusName": self.bus,
                            "Source": EVENT_SOURCE,
                            "DetailType": detail_type,
                            "Detail": detail,
                        }
                        for detail in details
                    ]
                )
            if response["FailedEntryCount"] == 0:
                return
            details = [
                detail
                for detail, entry in zip(details, response["Entries"], strict=True)
                if entry.get("ErrorCode")
            ]
            self.pause(attempt)
        raise UnavailableError(
            f"{len(details)} events were not taken by {self.bus} in {MAX_ATTEMPTS} attempts"
        )
