"""Channels of an Event API of AppSync, which boto3 has no client for: HTTPS, signed with the role's keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from watchkeeper.core.errors import ContractViolationError, UnavailableError

MOST_EVENTS = 5
"""Of one request: AppSync takes no more."""
EVENT_BYTES = 240_000
"""Of one event."""
ANSWERED_WITHIN_SECONDS = 10.0

_LATER = (408, 425, 429)


class EventChannels(Protocol):
    """Channels that clients listen to."""

    def publish(self, channel: str, events: Sequence[str]) -> list[int]:
        """Publish events in their order, and return the numbers of those that were not taken.

        Parameters
        ----------
        events
            JSON values, each of at most `EVENT_BYTES`.

        Raises
        ------
        UnavailableError
            If AppSync does not answer, or not now.
        ContractViolationError
            If it refuses the request: a permission or the namespace is missing.
        """


@dataclass(frozen=True)
class AppSyncChannels:
    """`EventChannels` in AppSync.

    Attributes
    ----------
    session
        Has the keys and the region.
    endpoint
        URL of the API's HTTP endpoint.
    """

    session: boto3.Session
    endpoint: str
    pool: urllib3.PoolManager

    @classmethod
    def over_network(cls, host: str) -> AppSyncChannels:
        """Return one with the time limits of a function that reads a queue.

        Parameters
        ----------
        host
            Of the API's HTTP endpoint, as AppSync names it. It is reached as the SDK reaches AppSync: over
            TLS, unless the SDK's own settings say otherwise.
        """
        session = boto3.Session()
        scheme = urlsplit(session.client("appsync").meta.endpoint_url).scheme
        pool = urllib3.PoolManager(timeout=ANSWERED_WITHIN_SECONDS, retries=False)
        return cls(session, f"{scheme}://{host}/event", pool)

    def publish(self, channel: str, events: Sequence[str]) -> list[int]:
        failed = []
        for first in range(0, len(events), MOST_EVENTS):
            answer = self._post(channel, events[first : first + MOST_EVENTS])
            failed += [first + int(each["index"]) for each in answer.get("failed", [])]
        return failed

    def _post(self, channel: str, events: Sequence[str]) -> dict[str, Any]:
        body = json.dumps({"channel": channel, "events": list(events)})
        request = AWSRequest("POST", self.endpoint, {"content-type": "application/json"}, body)
        credentials = self.session.get_credentials()
        if credentials is None:
            raise UnavailableError(f"{self.endpoint}: the function has no credentials to sign with")
        SigV4Auth(credentials, "appsync", self.session.region_name).add_auth(request)
        try:
            answer = self.pool.request(
                "POST",
                self.endpoint,
                body=body.encode(),
                headers=dict(request.headers.items()),
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise UnavailableError(f"{self.endpoint} did not answer: {error}") from error
        if answer.status >= 500 or answer.status in _LATER:
            raise UnavailableError(f"{self.endpoint} answered {answer.status}: {answer.data[:500]!r}")
        if answer.status != 200:
            raise ContractViolationError(
                f"{self.endpoint} did not take events for {channel}, {answer.status}: {answer.data[:500]!r}"
            )
        found: dict[str, Any] = json.loads(answer.data)
        return found
