"""Readable text for what the training workflow tells people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.core.causes import words_of_cause

CAUSE_LENGTH = 2000


def reason_of(error: Mapping[str, Any]) -> str:
    """Return a caught error as one readable sentence: its name, and the words of its cause."""
    name = str(error.get("Error") or "an error without a name")
    return f"{name}: {_shortened(words_of_cause(str(error.get('Cause') or 'no cause given')))}"


def failure_text(error: Mapping[str, Any], endpoint_state: str) -> str:
    """Return what a failed or rejected training is reported as: the reason, then what serves now."""
    return " ".join(sentence for sentence in (_ended(reason_of(error)), endpoint_state) if sentence)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def _shortened(text: str) -> str:
    return text if len(text) <= CAUSE_LENGTH else f"{text[: CAUSE_LENGTH - 1]}…"
