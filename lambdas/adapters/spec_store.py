"""The text of a workload's file as it was deployed, in a parameter of its own beside the plan's."""

from __future__ import annotations

import base64
import gzip

from watchkeeper.core.errors import ContractViolationError

STANDARD_BYTES, ADVANCED_BYTES = 4096, 8192
"""What a parameter holds, by its tier."""
_PACKED = "gzip:"
"""No workload file begins so: it has no such key."""


def packed_spec(text: str) -> str | None:
    """Return a file's text as a parameter keeps it, or None where it is too long for one.

    A text that a parameter of the standard tier holds stays as it is: it is ASCII, which CloudFormation does
    not change, and without what Systems Manager takes for the name of another parameter. Others are packed.

    Examples
    --------
    >>> packed_spec("name: pump")
    'name: pump'
    >>> unpacked_spec(packed_spec("name: pump # Zürich"))
    'name: pump # Zürich'
    """
    if text.isascii() and "{{" not in text and 0 < len(text) <= STANDARD_BYTES:
        return text
    kept = _PACKED + base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return kept if len(kept) <= ADVANCED_BYTES else None


def unpacked_spec(kept: str) -> str:
    """Return the text of what `packed_spec` returned.

    Raises
    ------
    ContractViolationError
        If it is something else.
    """
    if not kept.startswith(_PACKED):
        return kept
    try:
        return gzip.decompress(base64.b64decode(kept.removeprefix(_PACKED), validate=True)).decode()
    except (ValueError, EOFError, OSError) as error:
        raise ContractViolationError(f"a workload's deployed text cannot be read: {error}") from error
