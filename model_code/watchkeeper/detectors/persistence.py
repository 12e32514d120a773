"""The format of a detector's state, version 1: a zip archive of .npy members, without pickle.

- `header.npy`: UTF-8 JSON as bytes: `{"format": "watchkeeper-detector", "version": 1, "settings": {…}}`.
- `states.npy`: one record a column, little-endian, the fields of `state.STATE`.

Reading refuses another format, another version and other fields. Writing the same state gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.state import STATE
from watchkeeper.errors import ContractViolationError, InvalidInputError

FORMAT = "watchkeeper-detector"
VERSION = 1


def dump(settings: dict[str, Any], states: npt.NDArray[np.void]) -> bytes:
    """Return settings and states as the bytes of one archive."""
    header = json.dumps({"format": FORMAT, "version": VERSION, "settings": settings}, sort_keys=True)
    buffer = io.BytesIO()
    np.savez(buffer, header=np.frombuffer(header.encode(), dtype=np.uint8), states=states)
    return buffer.getvalue()


def load(content: bytes) -> tuple[dict[str, Any], npt.NDArray[np.void]]:
    """Return the settings and the states of an archive.

    Raises
    ------
    InvalidInputError
        The bytes are not such an archive.
    ContractViolationError
        It was written by another version, with other fields.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            header = json.loads(archive["header"].tobytes())
            states: npt.NDArray[np.void] = archive["states"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InvalidInputError(f"not a detector state: {error}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InvalidInputError(f"not a detector state: its header does not say {FORMAT!r}")
    if header.get("version") != VERSION or states.dtype != STATE or states.ndim != 1:
        raise ContractViolationError(
            f"detector state version {header.get('version')!r}: this package reads version {VERSION}; train again"
        )
    return header["settings"], states
