"""One attempt to deliver an alert to its target."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import urllib3

from lambdas.adapters.event_bus import EventBus
from lambdas.adapters.secret_store import SecretStore
from lambdas.alerting.alert import Delivered, structured
from lambdas.alerting.formats import in_words, slack_text
from lambdas.alerting.signing import signed_headers
from lambdas.alerting.target import Target
from watchkeeper.core.errors import ContractViolationError, UnavailableError

ALERT_DETAIL_TYPE = "Watchkeeper Alert"
"""On a bus of the user's: another type than that of the alert bus, so that none of its rules takes it."""
ANSWERED_WITHIN_SECONDS = 10.0


class Poster(Protocol):
    """Posts to URLs."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post once, and return the status of the answer; a redirection is not followed.

        Raises
        ------
        UnavailableError
            If there was no answer.
        """


@dataclass(frozen=True)
class HttpPoster:
    """`Poster` over HTTP."""

    pool: urllib3.PoolManager

    @classmethod
    def over_network(cls) -> HttpPoster:
        """Return one with the time limits of an alert."""
        return cls(urllib3.PoolManager(timeout=ANSWERED_WITHIN_SECONDS, retries=False))

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        try:
            answer = self.pool.request("POST", url, body=body, headers=dict(headers), redirect=False)
        except urllib3.exceptions.HTTPError as error:
            # the URL may be a secret, and urllib3's messages have it
            raise UnavailableError(f"{_host(url)} did not answer: {type(error).__name__}") from None
        return int(answer.status)


@dataclass(frozen=True)
class Delivery:
    """What an attempt needs."""

    poster: Poster
    secrets: SecretStore
    bus: Callable[[str], EventBus]
    """By its ARN."""
    timezone: str
    clock: Callable[[], float] = time.time

    def attempt(self, alert: Delivered, target: Target) -> str:
        """Deliver an alert once, and return what the target said to it.

        Raises
        ------
        UnavailableError
            If the target did not take it: it is to be tried again, whatever it answered.
        ContractViolationError
            If the secret cannot be used.
        """
        match target.by:
            case "event_bus":
                self.bus(target.bus_arn).put(ALERT_DETAIL_TYPE, [_structured(alert)])
                return "the bus has the event: its rules say who gets it"
            case "slack":
                url = self.secrets.text(target.secret)
                if urlsplit(url).scheme not in ("https", "http"):
                    raise ContractViolationError(
                        f"secret {target.secret} is not the URL of a webhook of Slack"
                    )
                return self._post(
                    url, _json({"text": slack_text(alert.event, self.timezone, alert.links)}), {}
                )
            case "webhook":
                body = self._body(alert, target)
                secret = self.secrets.text(target.secret)
                headers = signed_headers(alert.event.alert_id, int(self.clock()), body, secret)
                return self._post(target.url, body, headers)

    def _body(self, alert: Delivered, target: Target) -> bytes:
        if target.format == "json":
            return _structured(alert).encode()
        return _json({"text": in_words(target.format, alert.event, self.timezone, alert.links)})

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        status = self.poster.post(
            url, body, {"content-type": "application/json", "user-agent": "Watchkeeper", **headers}
        )
        if not 200 <= status < 300:
            raise UnavailableError(f"{_host(url)} answered {status}")
        return f"{_host(url)} answered {status}"


def _structured(alert: Delivered) -> str:
    return structured(alert.event, alert.channels, alert.links)


def _json(document: dict[str, str]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the target"
