"""What a link of an alert does, and the page behind it: no sign-in, no script, nothing but this one answer.

Who looks changes nothing, since what scans mail follows links; a button posts the answer, and again changes
nothing. The page shows what the alert said, and of what others have answered only that they did.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from html import escape

from lambdas.adapters.incident_store import IncidentStore
from lambdas.alerting.links import ANSWERS, TOKEN, Answer
from lambdas.incidents.responding import judge, respond
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.severity import severity_text
from watchkeeper.incidents.incident import TAKEN_BACK, Entry, Incident
from watchkeeper.incidents.response import acknowledged, unacknowledged

UNDO = "undo"
"""The parameter of the address by which an answer is taken back."""
_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.6rem 1.2rem}:root{color-scheme:light dark}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with none at all, a browser posts the form from the origin `null`
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
"""Of each answer."""


def found_by(answer: Answer, store: IncidentStore) -> Incident:
    """Return the incident that a link is about, or the one that it is in now.

    Raises
    ------
    InvalidInputError
        If there is none.
    """
    incident = store.find(answer.incident_id)
    if incident is None or incident.workload != answer.workload:
        raise InvalidInputError("the incident is kept no longer", reason="incident_not_found")
    return incident


def give(answer: Answer, store: IncidentStore, now: datetime) -> Incident:
    """Do what a link says; again changes nothing."""
    if answer.verb == "acknowledge":
        return respond(store, answer.incident_id, lambda found: acknowledged(found, answer.who, now))
    return judge(store, answer.incident_id, answer.verb, answer.who, now)


def take_back(answer: Answer, store: IncidentStore, now: datetime) -> Incident:
    """Take back what a link has said, if it stands: what somebody else said stays.

    Raises
    ------
    InvalidInputError
        If it does not stand.
    """

    def still_stands(incident: Incident) -> None:
        if not stands(answer, incident):
            raise InvalidInputError("there is nothing of this link to take back", reason="conflict")

    if answer.verb == "acknowledge":
        return respond(
            store,
            answer.incident_id,
            lambda found: unacknowledged(found, answer.who, now),
            condition=still_stands,
        )
    return judge(store, answer.incident_id, None, answer.who, now, condition=still_stands)


def stands(answer: Answer, incident: Incident) -> bool:
    """Tell whether an incident has the answer by a link of the same alert."""
    last = _last(answer, incident)
    return is_so(answer, incident) and last is not None and last.who == answer.who and last.note != TAKEN_BACK


def is_so(answer: Answer, incident: Incident) -> bool:
    """Tell whether an incident has the answer, whoever gave it."""
    if answer.verb == "acknowledge":
        return incident.state == "acknowledged"
    return incident.feedback == answer.verb


def page_of(answer: Answer, incident: Incident, token: str) -> str:
    """Return the page of a link as HTML."""
    lines = [
        f"<h1>{escape(incident.title)}</h1>",
        f"<p>Incident {escape(incident.incident_id)} of {escape(incident.workload)}, severity "
        f"{severity_text(incident.severity)}, {escape(incident.state)}.</p>",
    ]
    label = ANSWERS[answer.verb]
    if stands(answer, incident):
        lines += [f"<p>Said: <strong>{label}</strong>.</p>", _button("Take it back", token, undo=True)]
    elif is_so(answer, incident):
        lines.append(f"<p>Somebody has said it already: <strong>{label}</strong>.</p>")
    elif answer.verb == "acknowledge" and not incident.is_open:
        lines.append("<p>It is over: there is nothing to look after.</p>")
    else:
        if answer.verb != "acknowledge" and incident.feedback is not None:
            lines.append("<p>Somebody has said something else. The button replaces it.</p>")
        lines.append(_button(label, token))
    return _page("".join(lines))


def refused_page(why: str) -> str:
    """Return the page of a link that does nothing."""
    return _page(f"<h1>Nothing was changed</h1><p>{escape(why)}</p>")


def _last(answer: Answer, incident: Incident) -> Entry | None:
    kind = "acknowledged" if answer.verb == "acknowledge" else "feedback"
    return next((entry for entry in reversed(incident.timeline) if entry.what == kind), None)


def _button(label: str, token: str, *, undo: bool = False) -> str:
    action = f"?{TOKEN}={escape(token)}{f'&amp;{UNDO}=1' if undo else ''}"
    return f'<form method="post" action="{action}"><button>{label}</button></form>'


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Watchkeeper</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )
