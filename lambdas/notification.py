"""Readable text for what the training workflow tells people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

CAUSE_LENGTH = 2000


def reason_of(error: Mapping[str, Any]) -> str:
    """Return a caught error as one readable sentence: its name and its message.

    Step Functions gives `Cause` as plain text, as the JSON of a Lambda function's error, or as the JSON
    description of a SageMaker job.
    """
    name = str(error.get("Error") or "an error without a name")
    return f"{name}: {_message_of(str(error.get('Cause') or 'no cause given'))}"


def failure_text(
    *, workload: str | None, execution_arn: str, reason: str, removed: Sequence[str], endpoint_state: str
) -> str:
    """Return the message of a failed training."""
    subject = f"Training of {workload}" if workload else "A training"
    taken_back = f"Removed: {', '.join(removed)}." if removed else "There was nothing to remove."
    return f"{subject} failed.\n{reason}\n{endpoint_state}\n{taken_back}\nExecution: {execution_arn}"


def _message_of(cause: str) -> str:
    try:
        document = json.loads(cause)
    except ValueError:
        return _shortened(cause)
    if not isinstance(document, dict):
        return _shortened(cause)
    for key in ("errorMessage", "FailureReason", "ExitMessage"):
        if document.get(key):
            return _shortened(str(document[key]))
    return _shortened(cause)


def _shortened(text: str) -> str:
    return text if len(text) <= CAUSE_LENGTH else f"{text[: CAUSE_LENGTH - 1]}…"
