"""An alert in words: long, in Markdown, for Slack, and short enough for a text message."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from lambdas.alerting.digest import Digest, digest_subject, digest_text
from lambdas.alerting.links import ANSWERS, AnswerLinks, Verb
from lambdas.alerting.sample import Sample
from watchkeeper.anomalies.event import SUBJECT_LENGTH
from watchkeeper.anomalies.quality import QualityEvent, quality_subject, quality_text
from watchkeeper.core.severity import severity_text
from watchkeeper.core.timestamps import in_zone, parse_instant
from watchkeeper.fraud.decided import DecidedTransaction, decided_subject, decided_text
from watchkeeper.incidents.notice import IncidentNotice, notice_subject, notice_text
from watchkeeper.incidents.reasons import reason_of

Announced = IncidentNotice | QualityEvent | DecidedTransaction
"""What there are alerts of."""
Tellable = Announced | Sample | Digest
"""What people and programs are sent."""
Words = Literal["text", "markdown", "slack", "short"]

GSM_CHARACTERS = 140
"""Of a text message whose characters are all of GSM's alphabet: SNS sends 140 bytes as one."""
UCS2_CHARACTERS = 70
"""Of one that has another character, 16 bits each."""
LISTED = 5
"""Series in Markdown and for Slack."""

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€\f")
"""GSM's extension: an escape stands before each of them."""
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BEGINNINGS = {"opened": "", "escalated": "worse: ", "closed": "over: ", "unanswered": "unanswered: "}
_IS_A_TEST = "This is a test of the route. Nothing has happened."


def long_text(event: Tellable, timezone: str, links: AnswerLinks | None = None) -> str:
    """Return all that a person needs to judge it, line by line.

    Parameters
    ----------
    timezone
        IANA name of the source's zone, in which times are told.
    links
        By which it is answered.
    """
    match event:
        case Sample():
            return f"{_IS_A_TEST}\n\n{long_text(event.of, timezone)}\nTest:      {event.test_id}"
        case Digest():
            return digest_text(event)
        case DecidedTransaction():
            return decided_text(event, timezone)
        case QualityEvent():
            return quality_text(event, timezone)
    answers = [f"  {ANSWERS[verb]}: {url}" for verb, url in _urls(links)]
    return "\n".join([notice_text(event, timezone), *_heading_of_links(links, timezone), *answers])


def subject(event: Tellable) -> str:
    """Return one line of at most 100 ASCII characters."""
    match event:
        case Sample():
            return f"TEST {subject(event.of)}"[:SUBJECT_LENGTH]
        case Digest():
            return digest_subject(event)
        case DecidedTransaction():
            return decided_subject(event)
        case QualityEvent():
            return quality_subject(event)
    return notice_subject(event)


def short_text(event: Tellable, timezone: str) -> str:
    """Return what one text message holds: `GSM_CHARACTERS`, or `UCS2_CHARACTERS` where a letter needs it."""
    match event:
        case Sample():
            return one_message(f"TEST, nothing has happened: {event.workload}", f", test {event.test_id}")
        case Digest():
            return one_message(digest_subject(event))
        case DecidedTransaction():
            return one_message(decided_subject(event))
        case QualityEvent():
            return one_message(quality_subject(event))
    incident = event.incident
    end = f", severity {severity_text(incident.severity)}"
    return one_message(f"{incident.workload}: {_BEGINNINGS[event.what]}{incident.title}", end)


def one_message(text: str, end: str = "") -> str:
    """Return text that fits into one text message, shortened where it must be; the end stays.

    Examples
    --------
    >>> one_message("a" * 200, ", severity 80")[-16:]
    '..., severity 80'
    """
    whole = text + end
    room = GSM_CHARACTERS if _is_gsm(whole) else UCS2_CHARACTERS
    if _length(whole) <= room:
        return whole
    while text and _length(f"{text}...{end}") > room:
        text = text[:-1]
    return f"{text.rstrip()}...{end}"


def markdown(event: Tellable, timezone: str, links: AnswerLinks | None = None) -> str:
    """Return Markdown: a heading in bold and a list."""
    text = _listed(event, timezone, bold="**{}**", bullet="- ", escaped=_escaped_markdown)
    return _with_links(text, "- ", links, timezone, "[{1}]({0})")


def slack_text(event: Tellable, timezone: str, links: AnswerLinks | None = None) -> str:
    """Return what Slack calls mrkdwn, which is not Markdown."""
    text = _listed(event, timezone, bold="*{}*", bullet="• ", escaped=_escaped_slack)
    return _with_links(text, "• ", links, timezone, "<{0}|{1}>")


def in_words(words: Words, event: Tellable, timezone: str, links: AnswerLinks | None = None) -> str:
    """Return an event in one of the formats for people; a text message has no room for links."""
    return short_text(event, timezone) if words == "short" else _FORMATS[words](event, timezone, links)


_FORMATS: dict[Words, Callable[[Tellable, str, AnswerLinks | None], str]] = {
    "text": long_text,
    "markdown": markdown,
    "slack": slack_text,
}


def _with_links(text: str, bullet: str, links: AnswerLinks | None, timezone: str, form: str) -> str:
    answers = ", ".join(form.format(url, ANSWERS[verb]) for verb, url in _urls(links))
    headings = _heading_of_links(links, timezone)[1:]
    return "\n".join([text, *(f"{bullet}{heading} {answers}" for heading in headings)])


def _heading_of_links(links: AnswerLinks | None, timezone: str) -> list[str]:
    if links is None:
        return []
    return ["", f"Answer it by a link, until {in_zone(parse_instant(links.until), timezone)}:"]


def _urls(links: AnswerLinks | None) -> list[tuple[Verb, str]]:
    return [] if links is None else [(verb, links.urls[verb]) for verb in ANSWERS if verb in links.urls]


def _listed(event: Tellable, timezone: str, *, bold: str, bullet: str, escaped: Callable[[str], str]) -> str:
    if isinstance(event, Sample):
        whole = _listed(event.of, timezone, bold=bold, bullet=bullet, escaped=escaped)
        return f"{bold.format('TEST')} {escaped(_IS_A_TEST)}\n{whole}\n{bullet}test {event.test_id}"
    heading = bold.format(escaped(_heading(event)))
    if isinstance(event, Digest):
        lines = [line.strip() for line in digest_text(event).splitlines()[1:] if line.strip()]
        return "\n".join([heading, *(bullet + escaped(line) for line in lines)])
    if isinstance(event, DecidedTransaction | QualityEvent):
        lines = [line for line in long_text(event, timezone).splitlines()[1:] if line.strip()]
        return "\n".join([heading, *(bullet + escaped(line) for line in lines)])
    incident = event.incident
    shown = incident.touched[:LISTED]
    count = len(incident.touched) + incident.left_out.get("touched", 0)
    span = in_zone(parse_instant(incident.opened_at), timezone, until=parse_instant(incident.last_at))
    lines = [
        f"severity {severity_text(incident.severity)}, {span}",
        *(f"{part.series}: {reason_of(part)}" for part in shown),
        *([f"and {count - len(shown)} more series"] if count > len(shown) else []),
        f"incident {incident.incident_id}",
    ]
    return "\n".join([heading, *(bullet + escaped(line) for line in lines)])


def _heading(event: Announced | Digest) -> str:
    if isinstance(event, DecidedTransaction | QualityEvent | Digest):
        return subject(event)
    return f"[{event.workload}] {_BEGINNINGS[event.what]}{event.incident.title}"


def _escaped_markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _escaped_slack(text: str) -> str:
    return "".join(_ENTITIES.get(character, character) for character in text)


def _is_gsm(text: str) -> bool:
    return all(character in _GSM or character in _GSM_TWICE for character in text)


def _length(text: str) -> int:
    """Length in GSM's characters, or in units of UTF-16 where one of them is not GSM's."""
    if _is_gsm(text):
        return sum(2 if character in _GSM_TWICE else 1 for character in text)
    return len(text.encode("utf-16-le")) // 2
