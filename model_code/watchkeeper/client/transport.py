"""Requests over HTTP with the standard library: JSON in and out, repeated where that is safe and may help."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from watchkeeper.client.problems import ServiceProblemError
from watchkeeper.core.errors import InvalidInputError, UnavailableError

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.5
_PASSING = frozenset({429, 500, 502, 503, 504})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Transport:
    """Sends requests to one service.

    A request of the service may be sent again: its `request_id` makes the repetition the same task.

    Parameters
    ----------
    url
        `https://…`, or `http://` on this machine.
    token
        The ID token, or what returns a valid one; None sends none.
    timeout_seconds
        For one attempt.
    pause
        Waits so many seconds; for tests.
    """

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str] | None,
        timeout_seconds: float,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = checked_url(url).rstrip("/")
        self._token = token
        self._timeout = timeout_seconds
        self._pause = pause

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | list[Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send a request and return the answer's document.

        Raises
        ------
        ServiceProblemError
            If the service refuses it.
        UnavailableError
            If the service does not answer, or fails, several times in a row.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = f"{self._url}{path}" + (f"?{urlencode(given)}" if given else "")
        content = None if body is None else json.dumps(body).encode()
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            request = Request(url, data=content, method=method, headers=self._headers(content))  # noqa: S310
            try:
                with urlopen(request, timeout=self._timeout) as answer:  # noqa: S310 - `checked_url`
                    return json.load(answer)
            except HTTPError as error:
                with error:
                    refusal = ServiceProblemError.of_answer(error.code, error.read())
                if error.code not in _PASSING:
                    raise refusal from None
                last: Exception = refusal
            except (URLError, TimeoutError, ConnectionError) as error:
                last = error
        raise UnavailableError(f"{method} {url}: {last}") from last

    def send_file(self, method: str, url: str, headers: Mapping[str, str], file: IO[bytes]) -> None:
        """Send a file's content to a presigned URL.

        Raises
        ------
        UnavailableError
            If it is not taken.
        """
        request = Request(checked_url(url), data=file, method=method, headers=dict(headers))  # noqa: S310
        try:
            with urlopen(request, timeout=self._timeout):  # noqa: S310 - `checked_url`
                return
        except (URLError, TimeoutError, ConnectionError) as error:
            raise UnavailableError(f"the upload was not taken: {error}") from error

    def fetch_file(self, url: str, path: Path) -> None:
        """Write what a presigned URL answers to a file.

        Raises
        ------
        UnavailableError
            If it does not answer.
        """
        try:
            with urlopen(checked_url(url), timeout=self._timeout) as answer, path.open("wb") as file:  # noqa: S310
                while part := answer.read(1 << 20):
                    file.write(part)
        except (URLError, TimeoutError, ConnectionError) as error:
            raise UnavailableError(f"the download was not answered: {error}") from error

    def _headers(self, content: bytes | None) -> dict[str, str]:
        headers = {"Accept": "application/json, application/problem+json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            token = self._token if isinstance(self._token, str) else self._token()
            headers["Authorization"] = f"Bearer {token}"
        return headers


def checked_url(url: str) -> str:
    """Return a URL that may carry tokens: https, or http on this machine.

    Raises
    ------
    InvalidInputError
        For any other.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise InvalidInputError(f"url {url[:80]!r}: must be https, or http on this machine", reason="bad_url")
