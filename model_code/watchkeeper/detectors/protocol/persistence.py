"""The format of a detector's state, version 3: a zip archive of .npy members, without pickle.

- `header.npy`: UTF-8 JSON as bytes: `{"format": "watchkeeper-detector", "version": 1, "settings": {…}}`.
- one member for each array, little-endian. A detector has `states.npy`, one record a column with the fields
of
  `state.STATE`; a forest has the arrays of `forest.kernel.Trees`.

Reading refuses another format and another version. Writing the same state gives the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import ContractViolationError, InvalidInputError

VERSION = 3

Arrays = dict[str, npt.NDArray[Any]]
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile)


def dump(kind: str, settings: dict[str, Any], arrays: Arrays) -> bytes:
    """Return settings and arrays as the bytes of one archive of the format `kind`."""
    header = json.dumps({"format": kind, "version": VERSION, "settings": settings}, sort_keys=True)
    members: Arrays = {"header": np.frombuffer(header.encode(), dtype=np.uint8), **arrays}
    buffer = io.BytesIO()
    np.savez(buffer, **members)  # type: ignore[arg-type]  # the stub confuses members with allow_pickle
    return buffer.getvalue()


def load(kind: str, content: bytes) -> tuple[dict[str, Any], Arrays]:
    """Return the settings and the arrays of an archive.

    Raises
    ------
    InvalidInputError
        The bytes are not an archive of this format.
    ContractViolationError
        Another version wrote it.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays: Arrays = {name: archive[name] for name in archive.files}
        header = json.loads(arrays.pop("header").tobytes())
        written, version, settings = header["format"], header["version"], dict(header["settings"])
    except _UNREADABLE as error:
        raise InvalidInputError(f"not a {kind} archive: {error}") from error
    if written != kind:
        raise InvalidInputError(f"not a {kind} archive: its header says {written!r}")
    if version != VERSION:
        raise ContractViolationError(f"{kind} version {version!r}: this package reads {VERSION}; train again")
    return settings, arrays


def kind_of(content: bytes) -> str:
    """Return the format of an archive, whatever its version.

    Raises
    ------
    InvalidInputError
        The bytes are not an archive of a detector's state.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return str(json.loads(archive["header"].tobytes())["format"])
    except _UNREADABLE as error:
        raise InvalidInputError(f"not the state of a detector: {error}") from error
