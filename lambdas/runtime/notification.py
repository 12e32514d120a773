"""Readable text for what the training workflow tells people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CAUSE_LENGTH = 2000


def reason_of(error: Mapping[str, Any]) -> str:
    """Return a caught error as one readable sentence: its name and its message.

    `Cause` is plain text, a JSON list of sentences, the JSON of a Lambda function's error, or the JSON
    description of a SageMaker job.
    """
    name = str(error.get("Error") or "an error without a name")
    return f"{name}: {_message_of(str(error.get('Cause') or 'no cause given'))}"


def failure_text(error: Mapping[str, Any], endpoint_state: str) -> str:
    """Return what a failed or rejected training is reported as: the reason, then what serves now."""
    return " ".join(sentence for sentence in (_ended(reason_of(error)), endpoint_state) if sentence)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def _message_of(cause: str) -> str:
    try:
        document = json.loads(cause)
    except ValueError:
        return _shortened(cause)
    if isinstance(document, list):
        return _shortened(" ".join(map(str, document)))
    if not isinstance(document, dict):
        return _shortened(cause)
    for key in ("errorMessage", "ExitMessage", "FailureReason"):
        if document.get(key):
            return _shortened(str(document[key]))
    return _shortened(cause)


def _shortened(text: str) -> str:
    return text if len(text) <= CAUSE_LENGTH else f"{text[: CAUSE_LENGTH - 1]}…"
