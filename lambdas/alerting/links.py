"""Links in alerts: who is told answers an incident by one, without signing in.

A link says what is answered, of which incident of which workload, to which routes it went, and until when;
its signature (HMAC-SHA256) is all that the page behind it asks for. So whoever has a link may give that one
answer and take it back, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from urllib.parse import urlencode

from watchkeeper.core.documents import Document
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import epoch_seconds, format_instant
from watchkeeper.incidents.incident import Incident

Verb = Literal["acknowledge", "real", "expected", "noise"]
ANSWERS: dict[Verb, str] = {
    "acknowledge": "I look after it",
    "real": "It was real",
    "expected": "It was expected",
    "noise": "Nothing happened",
}
"""For people."""
TOKEN = "t"  # noqa: S105  # a name
"""The parameter of the address that has the token: access logs have paths, and no parameters."""
MOST_CHARACTERS = 4096
NOT_OURS, TOO_OLD = "bad_link", "expired_link"
"""Reasons for which a link is refused."""
_SIGNED_FOR = b"watchkeeper answer link 1\n"
"""So no other signature by the same key is one of a link."""


@dataclass(frozen=True)
class AnswerLinks(Document, name="links of an alert", refused_as="bad_event"):
    """The links of one alert."""

    until: str
    """They answer until then: ISO 8601, UTC."""
    urls: Mapping[str, str]
    """By `Verb`."""


@dataclass(frozen=True)
class Answer:
    """What a link says."""

    workload: str
    incident_id: str
    verb: Verb
    routes: tuple[str, ...]
    """Channels that the alert went to."""
    until: int
    """In seconds since 1970."""

    @property
    def who(self) -> str:
        """As whom the incident's timeline has the answer."""
        return f"by link (route{'' if len(self.routes) == 1 else 's'} {', '.join(self.routes)})"


def links_of(
    incident: Incident, routes: Sequence[str], until: datetime, page: str, key: bytes
) -> AnswerLinks:
    """Return the links of an alert.

    Parameters
    ----------
    routes
        Channels that the alert goes to.
    page
        Address of the page behind links.
    """
    can_wait = incident.state == "open"
    return AnswerLinks(
        format_instant(until),
        {
            verb: f"{page}?{urlencode({TOKEN: token_of(answer, key)})}"
            for verb in ANSWERS
            if can_wait or verb != "acknowledge"
            for answer in [
                Answer(incident.workload, incident.incident_id, verb, tuple(routes), epoch_seconds(until))
            ]
        },
    )


def token_of(answer: Answer, key: bytes) -> str:
    """Return an answer with its signature, as text that an address takes as it is."""
    said = _text(
        json.dumps(
            [answer.workload, answer.incident_id, answer.verb, answer.routes, answer.until],
            separators=(",", ":"),
        ).encode()
    )
    return f"{said}.{_text(_signature(said, key))}"


def answer_of(token: str, keys: Iterable[bytes], now: datetime) -> Answer:
    """Return what a link says that one of the keys has signed.

    Raises
    ------
    InvalidInputError
        If it is not ours (`NOT_OURS`), or too old (`TOO_OLD`).

    Examples
    --------
    >>> from datetime import timezone
    >>> answer = Answer("air", "f672912864a58451", "real", ("operators",), 1_800_000_000)
    >>> token = token_of(answer, b"k" * 32)
    >>> answer_of(token, [b"k" * 32], datetime(2026, 11, 30, tzinfo=timezone.utc)) == answer
    True
    """
    said, _, signature = token[:MOST_CHARACTERS].partition(".")
    given = _bytes(signature)
    # all keys are looked at, and each as long as the others
    ours = [hmac.compare_digest(given, _signature(said, key)) for key in keys]
    if not any(ours):
        raise InvalidInputError(
            "the link is not whole, or was signed by a key that is no longer accepted", reason=NOT_OURS
        )
    workload, incident_id, verb, routes, until = json.loads(_bytes(said))
    if now >= datetime.fromtimestamp(until, now.tzinfo):
        raise InvalidInputError(f"the link was good until {format_instant(until)}", reason=TOO_OLD)
    return Answer(workload, incident_id, cast("Verb", verb), tuple(routes), until)


def _signature(said: str, key: bytes) -> bytes:
    return hmac.new(key, _SIGNED_FOR + said.encode(), hashlib.sha256).digest()


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
