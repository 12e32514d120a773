"""Why something that runs elsewhere failed: the words for people in what AWS and a container tell of it."""

from __future__ import annotations

import json

_WORDS = ("errorMessage", "ExitMessage", "FailureReason", "ErrorMessage", "Cause")
"""Of a Lambda function, of a job by itself, of SageMaker about a job, of Glue about a run, of an execution in
the workflow.

A processing job that failed always has a `FailureReason`, which only says to look in its log: what the job
said itself comes first.
"""


def words_of_cause(cause: str) -> str:
    """Return what a person is told of a cause: a text, a list of sentences as JSON, or a description as JSON.

    Examples
    --------
    >>> words_of_cause('{"ExitMessage": "no rows", "FailureReason": "AlgorithmError: See job logs"}')
    'no rows'
    >>> words_of_cause('["recall is too low", "precision is too low"]')
    'recall is too low precision is too low'
    """
    try:
        document = json.loads(cause)
    except (ValueError, RecursionError):
        return without_traceback(cause)
    if isinstance(document, list):
        return " ".join(map(str, document))
    if isinstance(document, dict):
        for name in _WORDS:
            if document.get(name) and isinstance(document[name], str):
                return words_of_cause(document[name])
    return cause


def without_traceback(text: str) -> str:
    """Return what a container says without the traceback that some frameworks append to every error."""
    return text.partition("Traceback (most recent call last)")[0].strip() or text
